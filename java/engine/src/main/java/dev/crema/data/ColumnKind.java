package dev.crema.data;

/** What a column of a table is used as. */
enum ColumnKind {
  IGNORED("anything"),
  NUMERIC("a number"),
  CATEGORICAL("a category"),
  CLASSES("a class"),
  LABEL("one of the label's two values"),
  VALUE("a number");

  private final String expected;

  ColumnKind(String expected) {
    this.expected = expected;
  }

  boolean isNumber() {
    return this == NUMERIC || this == VALUE;
  }

  String expected() {
    return expected;
  }
}
