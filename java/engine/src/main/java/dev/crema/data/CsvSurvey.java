package dev.crema.data;

import dev.crema.CremaException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/** One pass over a delimited file that gathers what its columns hold, in bounded memory. */
final class CsvSurvey {
  /** Most categories of a column. */
  static final int MOST_CATEGORIES = 100;

  /** Texts that are told apart to find the most frequent. */
  private static final int MOST_TEXTS = 1000;

  private static final int MOST_CLASSES = 10_000;

  /** Which rows belong to the validation part. */
  @FunctionalInterface
  interface Membership {
    /**
     * @param ordinal of the row among those with the right number of fields, from 0
     */
    boolean isValidation(long ordinal, CsvScanner row);
  }

  private final Path file;
  private final CsvFormat format;
  private final int[] labels;
  private final ColumnStatistics[] columns;
  private long rows;
  private long validationRows;
  private long bytes;
  private long memoryLimit;
  private int[] labelIds;

  /** How numbers are read, by column; null in a first pass. */
  private Reading[] readings;

  private CsvSurvey(Path file, CsvFormat format, int[] labels) {
    this.file = file;
    this.format = format;
    this.labels = labels;
    this.columns = new ColumnStatistics[format.names().size()];
  }

  private ColumnStatistics column(int c, List<Reading> candidates) {
    return isLabel(c)
        ? new ColumnStatistics(MOST_CLASSES, MOST_CLASSES, candidates)
        : new ColumnStatistics(MOST_CATEGORIES, MOST_TEXTS, candidates);
  }

  /**
   * A first pass, in which every row is one to train with. It remembers the labels if the rows will
   * be divided, unless the file is too great to be kept in memory.
   */
  static CsvSurvey first(
      Path file, CsvFormat format, int[] labels, Set<Integer> ignored, DataOptions options) {
    CsvSurvey survey = new CsvSurvey(file, format, labels);
    List<List<Reading>> readings = CsvReadings.of(file, format);
    for (int c = 0; c < survey.columns.length; c++) {
      List<Reading> candidates =
          survey.isLabel(c)
              ? readings.get(c).stream().filter(r -> r instanceof Figures).toList()
              : readings.get(c);
      survey.columns[c] = ignored.contains(c) ? null : survey.column(c, candidates);
    }
    boolean divided = options.validationSplit() > 0 && labels.length == 1;
    survey.labelIds = divided ? new int[1024] : null;
    survey.memoryLimit = options.memoryLimit();
    survey.run(null, (ordinal, row) -> false, BadRows.again(options.skipBadRows()));
    return survey;
  }

  /** A second pass, in which rows that don't fit their columns take no part. */
  static CsvSurvey second(
      CsvSurvey first, ColumnKind[] kinds, Membership membership, BadRows badRows) {
    CsvSurvey survey = new CsvSurvey(first.file, first.format, first.labels);
    survey.readings = new Reading[kinds.length];
    for (int c = 0; c < kinds.length; c++) {
      if (kinds[c] != ColumnKind.IGNORED) {
        survey.readings[c] = first.columns[c].reading();
        survey.columns[c] = survey.column(c, List.of(survey.readings[c]));
      }
    }
    survey.run(kinds, membership, badRows);
    return survey;
  }

  private void run(ColumnKind[] kinds, Membership membership, BadRows badRows) {
    long ordinal = 0;
    try (CsvRecords records = CsvRecords.open(file, format, badRows)) {
      CsvScanner row = records.row();
      while (records.next()) {
        boolean validation = membership.isValidation(ordinal++, row);
        if (kinds != null && !fits(records, kinds, badRows)) {
          continue;
        }
        add(row, !validation);
        rows++;
        validationRows += validation ? 1 : 0;
      }
      bytes = row.bytesRead();
    }
  }

  private boolean fits(CsvRecords records, ColumnKind[] kinds, BadRows badRows) {
    CsvScanner row = records.row();
    for (int c = 0; c < kinds.length; c++) {
      byte[] b = row.bytes();
      int from = row.start(c);
      int to = row.end(c);
      boolean number = kinds[c].isNumber();
      boolean missing = Missing.is(b, from, to) || number && Missing.amongNumbers(b, from, to);
      boolean bad = number && !missing && Double.isNaN(readings[c].parse(b, from, to));
      if (bad || missing && isLabel(c)) {
        badRows.report(badValue(records, c, number ? readings[c].expected() : kinds[c].expected()));
        return false;
      }
    }
    return true;
  }

  /** The message for a value that doesn't fit its column. */
  static CremaException badValue(CsvRecords records, int column, String expected) {
    CsvScanner row = records.row();
    return new CremaException(
        records.where(column)
            + ": expected "
            + expected
            + ", found "
            + Quote.of(row.bytes(), row.start(column), row.end(column))
            + ". Correct the row, or leave such rows out with --skip-bad-rows.");
  }

  private void add(CsvScanner row, boolean train) {
    byte[] b = row.bytes();
    for (int c = 0; c < columns.length; c++) {
      if (columns[c] == null) {
        continue;
      }
      int id = columns[c].add(b, row.start(c), row.end(c), train);
      if (labelIds != null && isLabel(c)) {
        remember(id, row);
      }
    }
  }

  private void remember(int id, CsvScanner row) {
    if (row.bytesRead() > memoryLimit) {
      labelIds = null;
      return;
    }
    if (rows == labelIds.length) {
      labelIds = Arrays.copyOf(labelIds, 2 * labelIds.length);
    }
    labelIds[(int) rows] = id;
  }

  CsvFormat format() {
    return format;
  }

  Path file() {
    return file;
  }

  /** Columns of the labels, in the order in which they were asked for. */
  int[] labels() {
    return labels.clone();
  }

  boolean isLabel(int column) {
    return Arrays.stream(labels).anyMatch(l -> l == column);
  }

  /** Null for a column that is ignored. */
  ColumnStatistics column(int c) {
    return columns[c];
  }

  long rows() {
    return rows;
  }

  long validationRows() {
    return validationRows;
  }

  long bytes() {
    return bytes;
  }

  /** For each row the number of its label among the distinct ones, -1 if missing. */
  int[] labelIds() {
    return Arrays.copyOf(labelIds, (int) rows);
  }

  /** Whether some rows don't fit what their columns hold. */
  boolean hasBadValues(ColumnKind[] kinds) {
    for (int c = 0; c < kinds.length; c++) {
      boolean texts = kinds[c].isNumber() && columns[c].texts() > 0;
      boolean dashes = kinds[c].isNumber() && columns[c].read().dashes() > 0;
      if (texts || isLabel(c) && (columns[c].hasMissing() || dashes)) {
        return true;
      }
    }
    return false;
  }
}
