package dev.crema.data;

/**
 * The values of a column under one reading: what they are over all rows, and their distribution
 * over the training rows (mean and variance after Welford, 1962).
 */
final class NumberStatistics {
  private static final int FEW = 20;

  /** So many texts among numbers are mistakes, however few the rows are; or one in so many. */
  private static final int FEW_TEXTS = 2;

  private static final int MOST_OF = 10;

  private final Reading reading;
  private long numbers;
  private long dashes;
  private long texts;
  private long distinctNumbers;
  private boolean written;
  private boolean fractional;
  private boolean consecutive = true;
  private double previous;
  private long trainNumbers;
  private double mean;
  private double squares;
  private double least = Double.POSITIVE_INFINITY;
  private double most = Double.NEGATIVE_INFINITY;
  private boolean betweenDays;
  private String exampleText;

  NumberStatistics(Reading reading) {
    this.reading = reading;
  }

  /** Takes in a value that isn't missing. */
  void add(byte[] b, int from, int to, boolean train, boolean firstOfItsKind) {
    double value = reading.parse(b, from, to);
    if (!Double.isNaN(value)) {
      number(value, train);
      distinctNumbers += firstOfItsKind ? 1 : 0;
      written |= reading instanceof Figures f && isWritten(f, b, from, to);
    } else if (Missing.amongNumbers(b, from, to)) {
      dashes++;
    } else {
      texts++;
    }
    if (Double.isNaN(value) && exampleText == null) {
      exampleText = Quote.of(b, from, to);
    }
  }

  private static boolean isWritten(Figures figures, byte[] b, int from, int to) {
    return Double.isNaN(Numbers.parse(b, from, to, (byte) figures.decimal()));
  }

  private void number(double value, boolean train) {
    consecutive &= numbers == 0 || value == previous + 1;
    previous = value;
    numbers++;
    boolean whole = value == Math.rint(value);
    fractional |= !whole;
    if (train) {
      trainNumbers++;
      double delta = value - mean;
      mean += delta / trainNumbers;
      squares += delta * (value - mean);
      least = Math.min(least, value);
      most = Math.max(most, value);
      betweenDays |= !whole;
    }
  }

  Reading reading() {
    return reading;
  }

  long numbers() {
    return numbers;
  }

  /** Values that are no numbers and don't stand for a missing one either. */
  long texts() {
    return numbers > dashes ? texts : texts + dashes;
  }

  /** Texts such as "-" that stand for a missing number, as there are more numbers than those. */
  long dashes() {
    return numbers > dashes ? dashes : 0;
  }

  String exampleText() {
    return exampleText;
  }

  /** Whether some numbers have signs or groups of thousands. */
  boolean isWritten() {
    return written;
  }

  boolean isFractional() {
    return fractional;
  }

  /**
   * Whether every value is a number, or nearly all are and they look measured rather than named.
   *
   * @param many whether there are more distinct values than are told apart
   */
  boolean isNumeric(boolean many) {
    if (texts() == 0) {
      return numbers > 0;
    }
    boolean measured = fractional || many || distinctNumbers > FEW || 2 * distinctNumbers > numbers;
    boolean nearlyAll = texts <= FEW_TEXTS || MOST_OF * texts <= numbers;
    return numbers > texts + dashes && measured && nearlyAll;
  }

  /** Whether all are whole numbers (no dates). */
  boolean isInteger() {
    return texts + dashes == 0 && numbers > 0 && !fractional && reading instanceof Figures;
  }

  /** Whether all are whole numbers, each greater by one than that before. */
  boolean isConsecutive() {
    return isInteger() && numbers > 2 && consecutive;
  }

  double mean() {
    return mean;
  }

  /** Standard deviation of the training rows (divided by n), 1 where it would be 0. */
  double deviation() {
    double deviation = trainNumbers == 0 ? 0 : Math.sqrt(squares / trainNumbers);
    // Rounding leaves a trace in columns that are constant.
    return deviation <= 1e-10 * Math.abs(mean) ? 1 : deviation;
  }

  /** Greatest less least of the training rows. */
  double span() {
    return trainNumbers == 0 ? 0 : most - least;
  }

  /** Whether some training rows of a column of dates have a time of day. */
  boolean isBetweenDays() {
    return betweenDays;
  }
}
