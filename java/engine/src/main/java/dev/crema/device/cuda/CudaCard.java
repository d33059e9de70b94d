package dev.crema.device.cuda;

import java.util.ArrayList;
import java.util.List;
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
  private static final int ADA = 89;
  private static final int CONSUMER_BLACKWELL = 120;

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

  /** What cards of its kind can do and this version does not, and what to use: a line each. */
  public List<String> unused() {
    List<String> lines = new ArrayList<>();
    lines.add(
        "sparse products: kernels that are mostly zero are multiplied whole. 2:4 needs cuSPARSELt,"
            + " which JavaCPP's CUDA presets do not have. Pruned channels and int8 save time here,"
            + " too.");
    if (capability < ADA) {
      lines.add(
          "the rate of fp8: layers of fp8 read a quarter of float32's memory and are multiplied as"
              + " float16, since it has no such products. For the rate of bytes: int8.");
    } else if (capability > ADA && capability < CONSUMER_BLACKWELL) {
      lines.add(
          "the rate of fp8, in small layers: they read a quarter of float32's memory and are"
              + " multiplied as float16; big ones are by cuBLASLt. For the rate of bytes: int8.");
    }
    return List.copyOf(lines);
  }
}
