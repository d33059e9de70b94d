package dev.crema.data;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** The encoded rows of a delimited file, from its first to its last. */
final class CsvSource implements RowSource {
  /**
   * How the columns of one file are encoded.
   *
   * @param coders by column of the file; null for one that isn't used
   * @param labels columns of the targets, in their order; none if the file lacks one of them
   */
  record Plan(
      Path file,
      CsvFormat format,
      TablePreprocessing table,
      FieldCoder[] coders,
      int[] labels,
      AtomicLong unseen) {
    boolean isLabelled() {
      return labels.length > 0;
    }

    /** The same without reading the targets. */
    Plan withoutTargets() {
      return new Plan(file, format, table, coders, new int[0], unseen);
    }

    /** A plan for columns of the file that hold the table's columns. */
    static Plan of(
        Path file, CsvFormat format, TablePreprocessing table, int[] columns, int[] labels) {
      FieldCoder[] coders = new FieldCoder[format.names().size()];
      AtomicLong unseen = new AtomicLong();
      int offset = 0;
      for (int i = 0; i < columns.length; i++) {
        TablePreprocessing.Column column = table.columns().get(i);
        if (columns[i] >= 0) {
          coders[columns[i]] = FieldCoder.of(column, offset, format.decimal(), unseen);
        }
        offset += column.width();
      }
      return new Plan(file, format, table, coders, labels, unseen);
    }
  }

  private final Plan plan;
  private final CsvRecords records;
  private final BadRows badRows;
  private final boolean hashed;
  private final List<TargetCoder> targets = new ArrayList<>();
  private long ordinal = -1;

  /**
   * @param hashed whether rows need their hash
   */
  CsvSource(Plan plan, BadRows badRows, boolean hashed) {
    this.plan = plan;
    this.badRows = badRows;
    this.hashed = hashed;
    for (TablePreprocessing.Target target : plan.table.targets()) {
      targets.add(TargetCoder.of(target, plan.format.decimal()));
    }
    this.records = CsvRecords.open(plan.file, plan.format, badRows);
  }

  @Override
  public boolean next(Row row) {
    while (records.next()) {
      ordinal++;
      if (hashed) {
        row.hash = records.row().hash();
      }
      int bad = encode(row);
      if (bad < 0) {
        return true;
      }
      badRows.report(CsvSurvey.badValue(records, bad, expected(bad)));
    }
    return false;
  }

  /** Number of the row among all that have the right number of fields. */
  long ordinal() {
    return ordinal;
  }

  /** Returns the first column whose value doesn't fit, or -1. */
  private int encode(Row row) {
    CsvScanner fields = records.row();
    byte[] b = fields.bytes();
    float[] x = row.inputs[0];
    Arrays.fill(x, 0);
    FieldCoder[] coders = plan.coders;
    for (int c = 0; c < coders.length; c++) {
      if (coders[c] != null && !coders[c].encode(b, fields.start(c), fields.end(c), x, 0)) {
        return c;
      }
    }
    for (int i = 0; i < plan.labels.length; i++) {
      int c = plan.labels[i];
      if (!targets.get(i).encode(b, fields.start(c), fields.end(c), row, i)) {
        return c;
      }
    }
    return -1;
  }

  private String expected(int column) {
    for (int i = 0; i < plan.labels.length; i++) {
      if (plan.labels[i] == column) {
        return targets.get(i).expected();
      }
    }
    return plan.coders[column].expected();
  }

  @Override
  public void close() {
    records.close();
  }
}
