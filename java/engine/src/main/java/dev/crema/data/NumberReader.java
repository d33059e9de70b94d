package dev.crema.data;

/**
 * Reads the numbers of a column as the training file wrote them, or else plainly.
 *
 * @param figures how they were written there
 * @param plain a decimal point that plain numbers may have beside
 */
record NumberReader(Figures figures, byte plain) {
  /**
   * @param figures null if the training file wrote them plainly
   * @param point the decimal point of the file or of the texts that are read now
   */
  static NumberReader of(Figures figures, char point) {
    return new NumberReader(figures == null ? new Figures(point, "") : figures, (byte) point);
  }

  /** The number in bytes [from, to), NaN if it isn't one. */
  double parse(byte[] b, int from, int to) {
    double value = figures.parse(b, from, to);
    boolean other = Double.isNaN(value) && plain != figures.decimal();
    return other ? Numbers.parse(b, from, to, plain) : value;
  }
}
