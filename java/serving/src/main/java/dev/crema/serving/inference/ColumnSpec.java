package dev.crema.serving.inference;

import java.math.BigDecimal;
import java.util.List;
import java.util.Objects;

/**
 * A named column that a row of a table may be given by.
 *
 * @param categories those that the model knows; empty unless categorical
 */
public record ColumnSpec(String name, Kind kind, List<String> categories) {
  /** What its values are, as text. */
  public enum Kind {
    NUMERIC,
    DATE,
    CATEGORICAL
  }

  public ColumnSpec {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(kind, "kind");
    categories = List.copyOf(categories);
  }

  /**
   * The text of a number that a client sent as a number. The column may stand in its table as
   * {@code 1.234,5}, where 12.345 would be read as twelve thousand; 12345E-3 is read alike however
   * the table writes numbers. Categories stay as they are: their text is their name.
   *
   * @param number with a decimal point, if with any; NaN and infinities stay as they are
   */
  public String text(String number) {
    if (kind != Kind.NUMERIC || number.indexOf('.') < 0) {
      return number;
    }
    try {
      BigDecimal exact = new BigDecimal(number);
      return exact.unscaledValue() + "E" + -(long) exact.scale();
    } catch (NumberFormatException e) {
      return number; // an exponent of ten digits, which the column reads or refuses
    }
  }
}
