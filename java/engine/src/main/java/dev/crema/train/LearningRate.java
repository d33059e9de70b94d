package dev.crema.train;

/**
 * The learning rate as a function of the step. Steps count from 0; {@code total} is the number of
 * steps of the whole training (0 when it is not known, as with a stream in its first epoch).
 */
@FunctionalInterface
public interface LearningRate {
  double at(long step, long total);

  /**
   * Its name and settings. A checkpoint compares them on resume, so a schedule of one's own should
   * have a text of its own.
   */
  default String description() {
    return "custom";
  }

  /** The same all the time. */
  static LearningRate constant(double rate) {
    positive(rate, "learning rate");
    return new Rate("constant " + rate, (step, total) -> rate);
  }

  /** {@code rate · factor^⌊step / every⌋}. */
  static LearningRate step(double rate, double factor, long every) {
    positive(every, "every");
    return new Rate(
        "step: rate " + rate + ", factor " + factor + ", every " + every,
        (step, total) -> rate * Math.pow(factor, step / every));
  }

  /**
   * {@code rate · factor^(step / steps)}: reaches {@code rate · factor} after {@code steps} steps.
   */
  static LearningRate exponential(double rate, double factor, long steps) {
    positive(steps, "steps");
    return new Rate(
        "exponential: rate " + rate + ", factor " + factor + ", steps " + steps,
        (step, total) -> rate * Math.pow(factor, (double) step / steps));
  }

  /** From {@code rate} to {@code end} over the training, as (1 − progress)^power. */
  static LearningRate polynomial(double rate, double end, double power) {
    return new Rate(
        "polynomial: rate " + rate + ", end " + end + ", power " + power,
        (step, total) -> end + (rate - end) * Math.pow(1 - progress(step, total), power));
  }

  /**
   * Rises linearly over {@code warmUp} steps, then falls to {@code end} along half a cosine
   * (Loshchilov and Hutter 2017).
   */
  static LearningRate cosine(double rate, double end, long warmUp) {
    return new Rate(
        "cosine: rate " + rate + ", end " + end + ", warm-up " + warmUp,
        (step, total) -> {
          if (step < warmUp) {
            return rate * (step + 1) / warmUp;
          }
          double p = progress(step - warmUp, total - warmUp);
          return end + (rate - end) * (1 + Math.cos(Math.PI * p)) / 2;
        });
  }

  /**
   * One cycle (Smith and Topin 2018): from {@code peak}/25 up to {@code peak} in the first {@code
   * up} of the training, then down to {@code peak}/250,000; both along half a cosine.
   */
  static LearningRate oneCycle(double peak, double up) {
    if (!(up > 0 && up < 1)) {
      throw new IllegalArgumentException("up must lie between 0 and 1, got " + up);
    }
    return new Rate(
        "one cycle: peak " + peak + ", up " + up,
        (step, total) -> {
          double p = progress(step, total);
          double from = p < up ? peak / 25 : peak;
          double to = p < up ? peak : peak / 250_000;
          double q = p < up ? p / up : (p - up) / (1 - up);
          return to + (from - to) * (1 + Math.cos(Math.PI * q)) / 2;
        });
  }

  private static double progress(long step, long total) {
    return total <= 0 ? 0 : Math.min(1, Math.max(0, (double) step / total));
  }

  private static void positive(double value, String name) {
    if (!(value > 0)) {
      throw new IllegalArgumentException("The " + name + " must be positive, got " + value);
    }
  }
}
