package dev.crema.train;

import java.util.Locale;

/**
 * Multiplies the loss before gradients are computed, so that those too small for float16 don't
 * vanish, and divides them by it, in float32, before they are clipped and applied (Micikevicius et
 * al. 2018). A step with a gradient that is infinite or NaN changes no parameter and no moment, and
 * the scale falls; after some steps in a row without one it grows. All of it happens on the device:
 * a training step stays one call. The learning rate's schedule counts skipped steps, the
 * optimiser's bias correction does not.
 *
 * @param initialScale of the first step, positive
 * @param growthFactor what the scale is multiplied by when it grows, above 1
 * @param backoffFactor what the scale is multiplied by after a skipped step, in (0, 1); it does not
 *     fall under 1
 * @param growthInterval steps in a row without an overflow after which it grows, at least 1 and
 *     below 2^24
 */
public record LossScaling(
    double initialScale, double growthFactor, double backoffFactor, int growthInterval) {
  private static final int MOST_STEPS = 1 << 24; // that a float counts

  public LossScaling {
    require(initialScale > 0 && initialScale <= Float.MAX_VALUE, "initialScale", initialScale);
    require(growthFactor > 1 && growthFactor <= Float.MAX_VALUE, "growthFactor", growthFactor);
    require(backoffFactor > 0 && backoffFactor < 1, "backoffFactor", backoffFactor);
    require(growthInterval >= 1 && growthInterval < MOST_STEPS, "growthInterval", growthInterval);
  }

  private static void require(boolean holds, String name, double value) {
    if (!holds) {
      throw new IllegalArgumentException(
          name
              + " is "
              + value
              + "; initialScale must be positive, growthFactor above 1, backoffFactor in (0, 1),"
              + " growthInterval in [1, 2^24)");
    }
  }

  /** From 65536, doubled after 2000 good steps, halved after a bad one: PyTorch's defaults. */
  public static LossScaling standard() {
    return new LossScaling(65536, 2, 0.5, 2000);
  }

  String description() {
    return String.format(
        Locale.ROOT,
        "%s, x%s after %d, x%s",
        initialScale,
        growthFactor,
        growthInterval,
        backoffFactor);
  }
}
