package dev.crema.bench;

import dev.crema.natives.Crema;

/**
 * What a work needs of the machine at least.
 *
 * @param flops floating-point operations
 * @param bytes that memory must move
 * @param stream how: "copy", "triad" or "read"
 * @param unit that computes: "fma", "bf16" for products of bfloat16, or "int8" for products of
 *     bytes
 */
public record Limit(double flops, double bytes, String stream, String unit) {
  private static final String FMA = "fma";

  private static final double LEAST_BYTES = 4096;

  static Limit arithmetic(double flops) {
    return new Limit(flops, 0, "copy", FMA);
  }

  static Limit copy(double bytes) {
    return new Limit(0, bytes, "copy", FMA);
  }

  static Limit triad(double bytes) {
    return new Limit(0, bytes, "triad", FMA);
  }

  /** Memory that is read once. */
  static Limit read(double bytes) {
    return new Limit(0, bytes, "read", FMA);
  }

  /** Weights that are read once and arithmetic on them. */
  static Limit weights(double flops, double bytes) {
    return new Limit(flops, bytes, "read", FMA);
  }

  /** What neither arithmetic nor memory limits. */
  static Limit none() {
    return new Limit(0, 0, "copy", FMA);
  }

  private int arrays() {
    return switch (stream) {
      case "copy" -> 2;
      case "triad" -> 3;
      default -> 1;
    };
  }

  /** Rates of this machine, now. Zero where the work needs none. */
  record Rates(double flops, double bytes) {
    Rates max(Rates other) {
      return new Rates(Math.max(flops, other.flops), Math.max(bytes, other.bytes));
    }
  }

  Rates measure(int threads) {
    double array = Math.max(LEAST_BYTES, bytes / arrays());
    return new Rates(
        flops > 0 ? arithmeticRate(threads) : 0,
        bytes > 0 ? rate(stream, (long) array, threads) : 0);
  }

  private double arithmeticRate(int threads) {
    // A processor without the unit computes with float32.
    boolean exists = Crema.crema_probe(unit, (long) LEAST_BYTES, threads) > 0;
    return rate(exists ? unit : FMA, (long) LEAST_BYTES, threads);
  }

  private static double rate(String limit, long bytes, int threads) {
    double rate = Crema.crema_probe(limit, bytes, threads);
    if (rate <= 0) {
      throw new IllegalStateException("The limit '" + limit + "' can't be measured");
    }
    return rate;
  }

  /** The least seconds: arithmetic and memory may overlap. */
  double seconds(Rates rates) {
    double compute = flops > 0 ? flops / rates.flops : 0;
    double memory = bytes > 0 ? bytes / rates.bytes : 0;
    return Math.max(compute, memory);
  }

  /** Whether arithmetic takes longer than memory. */
  boolean isArithmetic(Rates rates) {
    return flops > 0 && (bytes == 0 || flops / rates.flops >= bytes / rates.bytes);
  }

  /** What it is, for people. */
  String describe(Rates rates) {
    return isArithmetic(rates)
        ? "%.3g MFLOP at %.0f GFLOP/s (%s)".formatted(flops / 1e6, rates.flops / 1e9, unit)
        : "%.3g MB at %.0f GB/s (%s)".formatted(bytes / 1e6, rates.bytes / 1e9, stream);
  }
}
