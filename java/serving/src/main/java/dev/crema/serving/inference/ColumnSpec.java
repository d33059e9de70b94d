package dev.crema.serving.inference;

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
}
