package dev.crema.data;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;

/** The encoded rows of a delimited file, from its first to its last. */
final class CsvSource implements RowSource {
  /**
   * How the columns of one file are encoded.
   *
   * @param coders by column of the file; null for one that isn't used
   * @param label column of the target, or -1 if the file has none
   */
  record Plan(
      Path file,
      CsvFormat format,
      TablePreprocessing table,
      FieldCoder[] coders,
      int label,
      AtomicLong unseen) {
    /** A plan for columns of the file that hold the table's columns, -1 for the target if none. */
    static Plan of(
        Path file, CsvFormat format, TablePreprocessing table, int[] columns, int label) {
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
      return new Plan(file, format, table, coders, label, unseen);
    }
  }

  private final Plan plan;
  private final CsvRecords records;
  private final BadRows badRows;
  private final boolean hashed;
  private final ByteTable classes;
  private final TablePreprocessing.Value value;
  private long ordinal = -1;

  /**
   * @param hashed whether rows need their hash
   */
  CsvSource(Plan plan, BadRows badRows, boolean hashed) {
    this.plan = plan;
    this.badRows = badRows;
    this.hashed = hashed;
    this.classes = ByteTable.of(plan.table.classNames());
    this.value = plan.table.target() instanceof TablePreprocessing.Value v ? v : null;
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
    return plan.label < 0 || label(row, fields, plan.label) ? -1 : plan.label;
  }

  private boolean label(Row row, CsvScanner fields, int c) {
    byte[] b = fields.bytes();
    if (Missing.is(b, fields.start(c), fields.end(c))) {
      return false;
    }
    if (value != null) {
      double v = Numbers.parse(b, fields.start(c), fields.end(c), (byte) plan.format.decimal());
      row.target[0] = (float) ((v - value.mean()) / value.deviation());
      return !Double.isNaN(v);
    }
    row.label = classes.find(b, fields.start(c), fields.end(c));
    if (row.label < 0) {
      row.label = plan.table.classNames().indexOf(TableLearner.className(fields.text(c)));
    }
    return row.label >= 0;
  }

  private String expected(int column) {
    if (column != plan.label) {
      return plan.coders[column].expected();
    }
    return value != null ? "a number" : "one of the classes " + plan.table.classNames();
  }

  @Override
  public void close() {
    records.close();
  }
}
