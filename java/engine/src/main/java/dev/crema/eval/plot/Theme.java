package dev.crema.eval.plot;

/** Colours and sizes of all plots. */
final class Theme {
  static final int BACKGROUND = 0xFFFFFF;
  static final int TEXT = 0x1F2933;
  static final int FAINT_TEXT = 0x52606D;
  static final int FRAME = 0x9AA5B1;
  static final int GRID = 0xE4E7EB;

  static final double TITLE_SIZE = 20;
  static final double HEADING_SIZE = 16;
  static final double LABEL_SIZE = 14;
  static final double TICK_SIZE = 13;

  // Okabe and Ito 2008, distinguishable with any colour vision; yellow last, as it is faint.
  private static final int[] PALETTE = {
    0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0xE69F00, 0x56B4E9, 0x333333, 0xF0E442
  };

  // Light to dark blue: lightness alone tells the order.
  private static final int[] SHADES = {0xF7FBFF, 0xD0E1F2, 0x94C4DF, 0x4A98C9, 0x1764AB, 0x08306B};

  private Theme() {}

  static int series(int index) {
    return PALETTE[index % PALETTE.length];
  }

  /** The shade for a share of 0 to 1. */
  static int shade(double share) {
    double at = Math.min(1, Math.max(0, share)) * (SHADES.length - 1);
    int below = Math.min(SHADES.length - 2, (int) at);
    return mix(SHADES[below], SHADES[below + 1], at - below);
  }

  /** Black or white, whichever can be read on the shade. */
  static int textOnShade(double share) {
    return share > 0.5 ? 0xFFFFFF : TEXT;
  }

  /** Half way to white, for areas that something is drawn upon. */
  static int light(int colour) {
    return mix(colour, BACKGROUND, 0.5);
  }

  private static int mix(int from, int to, double share) {
    int mixed = 0;
    for (int shift = 16; shift >= 0; shift -= 8) {
      int a = from >> shift & 0xFF;
      int b = to >> shift & 0xFF;
      mixed |= (int) Math.round(a + (b - a) * share) << shift;
    }
    return mixed;
  }
}
