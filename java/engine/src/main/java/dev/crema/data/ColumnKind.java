package dev.crema.data;

/** What a column of a table is used as. */
enum ColumnKind {
  IGNORED("anything"),
  NUMERIC("a number"),
  DATE("a date"),
  CATEGORICAL("a category"),
  CLASSES("a class"),
  LABEL("one of the label's two values"),
  VALUE("a number");

  private final String expected;

  ColumnKind(String expected) {
    this.expected = expected;
  }

  /** Whether its texts are read as numbers. */
  boolean isNumber() {
    return this == NUMERIC || this == DATE || this == VALUE;
  }

  String expected() {
    return expected;
  }
}
