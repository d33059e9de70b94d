package dev.crema.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What is known of a column after one pass, in bounded memory: its kinds of values over all rows,
 * its distribution over the training rows (mean and variance after Welford, 1962).
 */
final class ColumnStatistics {
  private static final int FEW = 20;

  private final byte point;
  private final ByteTable distinct;
  private final List<Boolean> isNumber = new ArrayList<>();
  private long[] trainCounts = new long[16];
  private boolean manyDistinct;
  private long missing;
  private long trainMissing;
  private long numbers;
  private long texts;
  private long distinctNumbers;
  private boolean fractional;
  private long trainNumbers;
  private double mean;
  private double squares;
  private boolean consecutive = true;
  private double previous;
  private String exampleText;

  /**
   * @param most distinct values that are told apart
   * @param point the decimal point
   */
  ColumnStatistics(int most, char point) {
    this.distinct = new ByteTable(most);
    this.point = (byte) point;
  }

  /** Takes a value in; returns the number of it among the distinct ones, -1 if there are many. */
  int add(byte[] b, int from, int to, boolean train) {
    if (Missing.is(b, from, to)) {
      missing++;
      trainMissing += train ? 1 : 0;
      return -1;
    }
    double value = Numbers.parse(b, from, to, point);
    boolean number = !Double.isNaN(value);
    if (number) {
      number(value, train);
    } else if (texts++ == 0) {
      exampleText = Quote.of(b, from, to);
    }
    if (manyDistinct) {
      return -1;
    }
    int known = distinct.size();
    int id = distinct.add(b, from, to);
    if (id < 0) {
      manyDistinct = true;
      return -1;
    }
    if (id == known) {
      isNumber.add(number);
      distinctNumbers += number ? 1 : 0;
    }
    if (id >= trainCounts.length) {
      trainCounts = Arrays.copyOf(trainCounts, 2 * trainCounts.length);
    }
    trainCounts[id] += train ? 1 : 0;
    return id;
  }

  private void number(double value, boolean train) {
    consecutive &= numbers == 0 || value == previous + 1;
    previous = value;
    numbers++;
    fractional |= value != Math.rint(value);
    if (train) {
      trainNumbers++;
      double delta = value - mean;
      mean += delta / trainNumbers;
      squares += delta * (value - mean);
    }
  }

  boolean allMissing() {
    return numbers + texts == 0;
  }

  /** Whether every value is a number, or most are and they look measured rather than named. */
  boolean isNumeric() {
    if (texts == 0) {
      return numbers > 0;
    }
    boolean measured =
        fractional || manyDistinct || distinctNumbers > FEW || 2 * distinctNumbers > numbers;
    return numbers > texts && measured;
  }

  /** Whether every value is a whole number. */
  boolean isInteger() {
    return texts == 0 && numbers > 0 && !fractional;
  }

  /** Whether the numbers are those of the rows. */
  boolean isConsecutive() {
    return texts == 0 && missing == 0 && numbers > 2 && consecutive;
  }

  /** Whether the values are few enough, and alike enough, to be classes. */
  boolean looksLikeClasses() {
    if (texts > 0) {
      return !isNumeric();
    }
    return !fractional
        && !manyDistinct
        && distinct.size() <= FEW
        && 2L * distinct.size() <= numbers;
  }

  boolean hasManyDistinct() {
    return manyDistinct;
  }

  int distinctCount() {
    return distinct.size();
  }

  long values() {
    return numbers + texts;
  }

  long texts() {
    return texts;
  }

  String exampleText() {
    return exampleText;
  }

  /** Every distinct value. */
  List<String> distinctTexts() {
    List<String> all = new ArrayList<>();
    for (int i = 0; i < distinct.size(); i++) {
      all.add(distinct.text(i));
    }
    return all;
  }

  /** The distinct values that occur in the training rows. */
  List<String> trainTexts() {
    List<String> some = new ArrayList<>();
    for (int i = 0; i < distinct.size(); i++) {
      if (trainCounts[i] > 0) {
        some.add(distinct.text(i));
      }
    }
    return some;
  }

  boolean hasMissing() {
    return missing > 0;
  }

  boolean missesInTraining() {
    return trainMissing > 0;
  }

  /** Mean of the training rows, 0 if they have no number here. */
  double mean() {
    return mean;
  }

  /** Standard deviation of the training rows (divided by n), 1 where it would be 0. */
  double deviation() {
    double variance = trainNumbers == 0 ? 0 : squares / trainNumbers;
    // Rounding leaves a trace in columns that are constant.
    return variance <= 1e-20 * mean * mean || variance == 0 ? 1 : Math.sqrt(variance);
  }
}
