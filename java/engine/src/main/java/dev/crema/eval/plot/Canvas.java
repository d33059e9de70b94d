package dev.crema.eval.plot;

/**
 * What a plot is drawn on. Units are pixels from the top left corner, y downwards; colours are
 * 0xRRGGBB.
 */
interface Canvas {
  /** Which point of a text its position is. */
  enum Anchor {
    START,
    MIDDLE,
    END
  }

  /**
   * How a text looks.
   *
   * @param size height in pixels
   * @param angle degrees clockwise around its position
   */
  record TextStyle(double size, int colour, boolean bold, Anchor anchor, double angle) {
    TextStyle(double size, int colour, Anchor anchor) {
      this(size, colour, false, anchor, 0);
    }
  }

  void rectangle(double x, double y, double width, double height, int colour);

  /** A line through points; one point draws nothing. */
  void line(double[] x, double[] y, int colour, double width, boolean dashed);

  void circle(double x, double y, double radius, int colour);

  /** A text on its base line. */
  void text(String text, double x, double y, TextStyle style);

  /** What is drawn until {@link #endClip} shows only inside this rectangle. */
  void beginClip(double x, double y, double width, double height);

  void endClip();

  /** An estimate of a text's width, the same for every canvas so that layouts are equal. */
  static double textWidth(String text, double size) {
    double ems = text.codePoints().mapToDouble(Canvas::ems).sum();
    return ems * size;
  }

  private static double ems(int c) {
    if ("iljtfrI.,:;'|!()[]- ".indexOf(c) >= 0) {
      return 0.38;
    }
    if ("mwMW@%".indexOf(c) >= 0) {
      return 0.92;
    }
    if (Character.isDigit(c)) {
      return 0.64;
    }
    return c >= 0x1100 ? 1.0 : Character.isUpperCase(c) ? 0.72 : 0.62;
  }
}
