package dev.crema.device.cuda;

import java.util.Locale;

/**
 * A card that can be used.
 *
 * @param ordinal N of {@code cuda:N}
 * @param model as NVIDIA names it
 * @param memoryBytes of the card
 * @param capability compute capability, 10 · major + minor
 * @param driver the newest CUDA version that the driver supports, 1000 · major + 10 · minor
 */
public record CudaCard(int ordinal, String model, long memoryBytes, int capability, int driver) {
  /** {@code cuda:N}. */
  public String name() {
    return "cuda:" + ordinal;
  }

  /** Compute capability as NVIDIA writes it: 9.0. */
  public String capabilityText() {
    return capability / 10 + "." + capability % 10;
  }

  /** The newest CUDA version that the driver supports, as NVIDIA writes it. */
  public String driverText() {
    return version(driver);
  }

  /** A CUDA version as NVIDIA writes it: 13.1. */
  static String version(int number) {
    return number / 1000 + "." + number % 1000 / 10;
  }

  /** One line for people. */
  public String description() {
    return String.format(
        Locale.ROOT,
        "%s, %.1f GiB, compute capability %s, driver for CUDA %s",
        model,
        memoryBytes / (double) (1L << 30),
        capabilityText(),
        version(driver));
  }
}
