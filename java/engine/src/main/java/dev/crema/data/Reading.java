package dev.crema.data;

/** How the texts of a column are read as numbers. Thread-safe. */
public sealed interface Reading permits Figures, Dates {
  /** The number in bytes [from, to) of UTF-8; NaN if it isn't one. */
  double parse(byte[] b, int from, int to);

  /** What the column holds, for messages: "a number", say. */
  String expected();
}
