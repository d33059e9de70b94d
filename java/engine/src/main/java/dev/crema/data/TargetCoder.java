package dev.crema.data;

import java.nio.charset.StandardCharsets;
import java.util.List;

/** Encodes the values of one target column: a class number, 0 or 1, or a standardised number. */
sealed interface TargetCoder {
  /**
   * Puts bytes [from, to) into a row.
   *
   * @param index of the target among those of the row
   * @return false if the value is missing or isn't what the column holds
   */
  boolean encode(byte[] b, int from, int to, RowSource.Row row, int index);

  /** What the column holds, for messages. */
  String expected();

  static TargetCoder of(TablePreprocessing.Target target, char point) {
    if (target instanceof TablePreprocessing.Value v) {
      return new Number(NumberReader.of(v.figures(), point), v.mean(), v.deviation());
    }
    if (target instanceof TablePreprocessing.Label l) {
      return new Named(l.classNames(), ByteTable.of(l.classNames()), false);
    }
    List<String> names = ((TablePreprocessing.Classes) target).classNames();
    return new Named(names, ByteTable.of(names), true);
  }

  record Number(NumberReader reader, double mean, double deviation) implements TargetCoder {
    @Override
    public boolean encode(byte[] b, int from, int to, RowSource.Row row, int index) {
      double value = reader.parse(b, from, to);
      float scaled = (float) ((value - mean) / deviation);
      row.target[index] = scaled;
      return Float.isFinite(scaled);
    }

    @Override
    public String expected() {
      return reader.figures().expected();
    }
  }

  /**
   * The number of a name.
   *
   * @param isClass whether it is the row's class, else a target of 0 or 1
   */
  record Named(List<String> names, ByteTable table, boolean isClass) implements TargetCoder {
    @Override
    public boolean encode(byte[] b, int from, int to, RowSource.Row row, int index) {
      if (Missing.is(b, from, to)) {
        return false;
      }
      int number = table.find(b, from, to);
      if (number < 0) { // such as 1.0 for 1
        String text = new String(b, from, to - from, StandardCharsets.UTF_8);
        number = names.indexOf(TableLearner.className(text));
      }
      if (isClass) {
        row.label = number;
      } else {
        row.target[index] = number;
      }
      return number >= 0;
    }

    @Override
    public String expected() {
      return "one of the classes " + names;
    }
  }
}
