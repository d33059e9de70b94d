package dev.crema.serving.inference;

import dev.crema.data.Figures;
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
   * The text of a number that a client sent as a number, which is read alike however the table
   * writes numbers ({@link Figures#unambiguous}). Categories stay as they are: their text is their
   * name.
   *
   * @param number with a decimal point, if with any; NaN and infinities stay as they are
   */
  public String text(String number) {
    return kind == Kind.NUMERIC ? Figures.unambiguous(number) : number;
  }
}
