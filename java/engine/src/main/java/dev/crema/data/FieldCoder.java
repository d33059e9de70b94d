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
      return new Number(offset, n.mean(), n.deviation(), (byte) point);
    }
    if (column instanceof TablePreprocessing.Categorical c) {
      return new Category(
          offset, ByteTable.of(c.categories()), c.missing() ? c.categories().size() : -1, unseen);
    }
    return null;
  }

  record Number(int offset, double mean, double deviation, byte point) implements FieldCoder {
    @Override
    public boolean encode(byte[] b, int from, int to, float[] out, int at) {
      double value = Numbers.parse(b, from, to, point);
      if (Double.isNaN(value)) {
        return Missing.is(b, from, to);
      }
      out[at + offset] = (float) ((value - mean) / deviation);
      return true;
    }

    @Override
    public String expected() {
      return "a number";
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
