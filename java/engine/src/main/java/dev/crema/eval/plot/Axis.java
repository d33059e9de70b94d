package dev.crema.eval.plot;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * One axis: its range, the ticks at round numbers in it and where a value stands.
 *
 * @param low value at the beginning
 * @param high value at the end; above {@code low}
 * @param log whether the scale is logarithmic; the range is positive then
 */
record Axis(double low, double high, boolean log, List<Double> ticks) {
  private static final int WANTED_TICKS = 7;
  private static final double PADDING = 0.04;
  // Far enough from the largest double that differences stay finite.
  private static final double LARGEST = 1e300;

  /** How the values of an axis are, before its range is known. */
  record Scale(boolean log, boolean integers, Double low, Double high) {}

  /** Whether a value can be shown. */
  static boolean isShown(double value, boolean log) {
    return Math.abs(value) <= LARGEST && (!log || value >= 1 / LARGEST);
  }

  /** An axis that shows all values of a range (which may be empty: low above high). */
  static Axis of(double smallest, double largest, Scale scale) {
    return scale.log ? logarithmic(smallest, largest, scale) : linear(smallest, largest, scale);
  }

  private static Axis linear(double smallest, double largest, Scale scale) {
    boolean empty = smallest > largest;
    double from = empty ? 0 : smallest;
    double to = empty ? 1 : largest;
    if (to - from <= Math.max(Math.abs(to), Math.abs(from)) * 1e-12) {
      double margin = from == 0 ? 1 : Math.abs(from) * 0.1;
      from -= scale.integers ? Math.max(1, margin) : margin;
      to += scale.integers ? Math.max(1, margin) : margin;
    }
    double padding = (to - from) * PADDING;
    // What is never negative begins at 0 rather than below.
    double low = from >= 0 ? Math.max(0, from - padding) : from - padding;
    low = scale.integers ? from - padding : low;
    low = scale.low == null ? low : scale.low;
    double high = scale.high == null ? to + padding : scale.high;
    if (high <= low) {
      high = low + Math.max(1, Math.abs(low) * 0.1);
    }
    return new Axis(low, high, false, linearTicks(low, high, scale.integers));
  }

  private static Axis logarithmic(double smallest, double largest, Scale scale) {
    boolean empty = smallest > largest;
    double from = Math.log10(scale.low != null ? scale.low : empty ? 0.1 : smallest);
    double to = Math.log10(scale.high != null ? scale.high : empty ? 1 : largest);
    if (to - from < 1e-6) {
      from -= 0.5;
      to += 0.5;
    }
    double padding = (to - from) * PADDING;
    // Padded across hundreds of decades the end may be beyond what a double holds.
    double low = Math.pow(10, scale.low == null ? Math.max(from - padding, -305) : from);
    double high = Math.pow(10, scale.high == null ? Math.min(to + padding, 305) : to);
    return new Axis(low, high, true, logarithmicTicks(low, high));
  }

  private static List<Double> linearTicks(double low, double high, boolean integers) {
    double step = niceStep((high - low) / WANTED_TICKS);
    step = integers && high - low >= 2 ? Math.max(1, step) : step;
    List<Double> ticks = new ArrayList<>();
    // A step's multiples, computed each by itself so that no error adds up.
    double first = Math.ceil(low / step - 1e-9);
    for (int i = 0; (first + i) * step <= high + step * 1e-9; i++) {
      ticks.add((first + i) * step + 0.0);
    }
    return ticks;
  }

  /** The power of ten times 1, 2 or 5 whose ratio to the wanted step is nearest to 1. */
  private static double niceStep(double wanted) {
    double power = Math.pow(10, Math.floor(Math.log10(wanted)));
    double ratio = wanted / power;
    double nearest = 1;
    for (double factor : new double[] {2, 5, 10}) {
      // Nearer in ratio: above the geometric mean of the two.
      nearest = ratio * ratio > nearest * factor ? factor : nearest;
    }
    return nearest * power;
  }

  private static List<Double> logarithmicTicks(double low, double high) {
    int first = (int) Math.floor(Math.log10(low));
    int last = (int) Math.ceil(Math.log10(high));
    int every = Math.max(1, (last - first + WANTED_TICKS) / (WANTED_TICKS + 1));
    int[] factors = last - first <= 3 ? new int[] {1, 2, 5} : new int[] {1};
    List<Double> ticks = new ArrayList<>();
    for (int exponent = Math.floorDiv(first, every) * every; exponent <= last; exponent += every) {
      for (int factor : factors) {
        double tick = Double.parseDouble(factor + "e" + exponent);
        if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) {
          ticks.add(tick);
        }
      }
    }
    return ticks.size() < 2 ? linearTicks(low, high, false) : ticks;
  }

  /** 0 for the beginning, 1 for the end. */
  double position(double value) {
    return log
        ? (Math.log(value) - Math.log(low)) / (Math.log(high) - Math.log(low))
        : (value - low) / (high - low);
  }

  /** A tick's value in as few digits as tell it from the next. */
  String label(double tick) {
    double size = Math.abs(tick);
    if (log) {
      return size >= 1e-3 && size < 1e5 ? plain(tick, 6) : scientific(tick, 0);
    }
    double step = ticks.size() < 2 ? high - low : ticks.get(1) - ticks.get(0);
    double widest = Math.max(Math.abs(low), Math.abs(high));
    int stepDecimals = (int) -Math.floor(Math.log10(step) + 1e-9);
    if (widest >= 1e6 || widest < 1e-3) {
      int digits = (int) Math.floor(Math.log10(Math.max(size, step))) + stepDecimals;
      return tick == 0 ? "0" : scientific(tick, Math.max(0, digits));
    }
    return String.format(Locale.ROOT, "%,." + Math.max(0, stepDecimals) + "f", tick);
  }

  private static String plain(double value, int decimals) {
    String text = String.format(Locale.ROOT, "%,." + decimals + "f", value);
    return text.contains(".") ? text.replaceAll("0+$", "").replaceAll("\\.$", "") : text;
  }

  private static String scientific(double value, int decimals) {
    String text = String.format(Locale.ROOT, "%." + Math.min(decimals, 12) + "e", value);
    return text.replaceAll("e([+-])0*(\\d)", "e$1$2").replace("e+", "e");
  }
}
