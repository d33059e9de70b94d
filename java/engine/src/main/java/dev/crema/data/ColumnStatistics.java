package dev.crema.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What is known of a column after one pass, in bounded memory. A column whose texts could be read
 * in several ways is read in all of them; the one that leaves the fewest texts unread is its own.
 */
final class ColumnStatistics {
  private static final int FEW = 20;

  /** A text of so many rows is frequent enough to tell something. */
  private static final int OFTEN = 10;

  private final int most;
  private final ByteTable distinct;
  private final List<NumberStatistics> readings;
  private long[] trainCounts = new long[16];
  private boolean manyDistinct;
  private long values;
  private long missing;
  private long trainMissing;

  /**
   * @param most distinct values that are told apart
   * @param mostTexts as many if more than half of the values are texts
   * @param candidates the ways in which the texts could be numbers, the likeliest first
   */
  ColumnStatistics(int most, int mostTexts, List<Reading> candidates) {
    this.most = most;
    this.distinct = new ByteTable(mostTexts);
    this.readings = candidates.stream().map(NumberStatistics::new).toList();
  }

  /** Takes a value in; returns the number of it among the distinct ones, -1 if there are many. */
  int add(byte[] b, int from, int to, boolean train) {
    if (Missing.is(b, from, to)) {
      missing++;
      trainMissing += train ? 1 : 0;
      return -1;
    }
    values++;
    int known = distinct.size();
    int id = manyDistinct ? -1 : distinct.add(b, from, to);
    manyDistinct = id < 0 || known >= most && 2 * texts() <= values;
    for (NumberStatistics reading : readings) {
      reading.add(b, from, to, train, id == known);
    }
    if (id < 0) {
      return -1;
    }
    if (id >= trainCounts.length) {
      trainCounts = Arrays.copyOf(trainCounts, 2 * trainCounts.length);
    }
    trainCounts[id] += train ? 1 : 0;
    return id;
  }

  /** The values under the reading that suits them best. */
  NumberStatistics read() {
    return Collections.min(readings, Comparator.comparingLong(NumberStatistics::texts));
  }

  /** The reading that suits the values best; of several, the first of the candidates. */
  Reading reading() {
    return read().reading();
  }

  /** Whether the dates could as well be read with another order of day and month. */
  boolean isAmbiguousDate() {
    NumberStatistics best = read();
    return best.reading() instanceof Dates
        && readings.stream()
            .anyMatch(
                r ->
                    r.reading() instanceof Dates
                        && r.texts() == best.texts()
                        && r.mean() != best.mean());
  }

  boolean allMissing() {
    return values == 0;
  }

  /** Whether every value is a number, or most are and they look measured rather than named. */
  boolean isNumeric() {
    return read().isNumeric(hasManyDistinct());
  }

  /** Whether every value is a whole number. */
  boolean isInteger() {
    return read().isInteger();
  }

  /** Whether the numbers are those of the rows. */
  boolean isConsecutive() {
    return missing == 0 && read().isConsecutive();
  }

  /** Whether all values are the same. */
  boolean isConstant() {
    return distinct.size() == 1;
  }

  /** Whether nearly every row has a text of its own, so that none tells of another. */
  boolean isNearlyUnique() {
    return distinct.size() > FEW && 2L * distinct.size() > values;
  }

  /** Whether the values are few enough, and alike enough, to be classes. */
  boolean looksLikeClasses() {
    if (read().texts() > 0) {
      return !isNumeric();
    }
    return !read().isFractional() && distinct.size() <= FEW && 2L * distinct.size() <= values;
  }

  /** Whether there are more distinct values than one column has categories. */
  boolean hasManyDistinct() {
    return manyDistinct || distinct.size() > most;
  }

  /** Whether, of too many texts, each still comes often enough that the most frequent tell much. */
  boolean hasFrequentTexts() {
    return !manyDistinct && OFTEN * (long) distinct.size() <= values;
  }

  int distinctCount() {
    return distinct.size();
  }

  /** Values that aren't missing. */
  long values() {
    return values;
  }

  long texts() {
    return read().texts();
  }

  String exampleText() {
    return read().exampleText();
  }

  /** Every distinct value. */
  List<String> distinctTexts() {
    List<String> all = new ArrayList<>();
    for (int i = 0; i < distinct.size(); i++) {
      all.add(distinct.text(i));
    }
    return all;
  }

  /** The distinct values that occur in the training rows; of many, the most frequent. */
  List<String> trainTexts() {
    return IntStream.range(0, distinct.size())
        .filter(i -> trainCounts[i] > 0)
        .boxed()
        .sorted(Comparator.comparingLong((Integer i) -> -trainCounts[i]))
        .limit(most)
        .map(distinct::text)
        .toList();
  }

  boolean hasMissing() {
    return missing > 0;
  }

  boolean missesInTraining() {
    return trainMissing > 0;
  }
}
