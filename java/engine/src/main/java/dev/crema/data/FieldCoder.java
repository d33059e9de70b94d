package dev.crema.data;

import java.util.concurrent.atomic.AtomicLong;

/** Encodes the values of one column into their elements of a row. */
sealed interface FieldCoder {
  /** First element of the column in an encoded row. */
  int offset();

  /**
   * Encodes bytes [from, to) into a row whose elements are zero and begin at {@code at}.
   *
   * @return false if the value isn't what the column holds
   */
  boolean encode(byte[] b, int from, int to, float[] out, int at);

  /** What the column holds, for messages. */
  String expected();

  /** The coder of a column, or null if it isn't used. */
  static FieldCoder of(
      TablePreprocessing.Column column, int offset, char point, AtomicLong unseen) {
    if (column instanceof TablePreprocessing.Numeric n) {
      return new Number(offset, NumberReader.of(n.figures(), point), n.mean(), n.deviation());
    }
    if (column instanceof TablePreprocessing.Date d) {
      return new Date(offset, new Dates(d.order()), d);
    }
    if (column instanceof TablePreprocessing.Categorical c) {
      return new Category(
          offset, ByteTable.of(c.categories()), c.missing() ? c.categories().size() : -1, unseen);
    }
    return null;
  }

  private static boolean isMissing(byte[] b, int from, int to) {
    return Missing.is(b, from, to) || Missing.amongNumbers(b, from, to);
  }

  record Number(int offset, NumberReader reader, double mean, double deviation)
      implements FieldCoder {
    @Override
    public boolean encode(byte[] b, int from, int to, float[] out, int at) {
      double value = reader.parse(b, from, to);
      if (Double.isNaN(value)) {
        return isMissing(b, from, to);
      }
      float scaled = (float) ((value - mean) / deviation);
      out[at + offset] = scaled;
      return Float.isFinite(scaled); // what is far from all that was learnt may be beyond float32
    }

    @Override
    public String expected() {
      return reader.figures().expected();
    }
  }

  /** Days since 1970, standardised, and where they stand in each cycle: sine and cosine. */
  record Date(int offset, Dates dates, TablePreprocessing.Date column) implements FieldCoder {
    @Override
    public boolean encode(byte[] b, int from, int to, float[] out, int at) {
      double days = dates.parse(b, from, to);
      if (Double.isNaN(days)) {
        return isMissing(b, from, to);
      }
      int i = at + offset;
      out[i++] = (float) ((days - column.mean()) / column.deviation());
      for (Cycle cycle : column.cycles()) {
        double angle = 2 * Math.PI * days / cycle.days();
        out[i++] = (float) Math.sin(angle);
        out[i++] = (float) Math.cos(angle);
      }
      return true;
    }

    @Override
    public String expected() {
      return dates.expected();
    }
  }

  /**
   * One-hot.
   *
   * @param missing the category of missing values, or -1
   */
  record Category(int offset, ByteTable categories, int missing, AtomicLong unseen)
      implements FieldCoder {
    @Override
    public boolean encode(byte[] b, int from, int to, float[] out, int at) {
      int category = Missing.is(b, from, to) ? missing : categories.findText(b, from, to);
      if (category < 0) {
        unseen.incrementAndGet();
      } else {
        out[at + offset + category] = 1;
      }
      return true;
    }

    @Override
    public String expected() {
      return "a category";
    }
  }
}
