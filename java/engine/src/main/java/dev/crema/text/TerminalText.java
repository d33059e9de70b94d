package dev.crema.text;

/** Widths of text in terminal columns, and text made safe to print. */
public final class TerminalText {
  private TerminalText() {}

  /** Columns that a terminal uses for the text: 2 for wide East Asian characters, 0 for marks. */
  public static int width(CharSequence text) {
    int columns = 0;
    for (int i = 0; i < text.length(); ) {
      int codePoint = Character.codePointAt(text, i);
      columns += width(codePoint);
      i += Character.charCount(codePoint);
    }
    return columns;
  }

  /**
   * The text if it fits in so many columns, else its beginning and an ellipsis, which together are
   * at most that wide. The ellipsis is left out where there is one column or none.
   */
  public static String cut(String text, int columns) {
    if (width(text) <= columns) {
      return text;
    }
    boolean ellipsis = columns >= 2;
    int room = ellipsis ? columns - 1 : Math.max(columns, 0);
    int end = 0;
    while (end < text.length()) {
      int codePoint = text.codePointAt(end);
      if (width(codePoint) > room) {
        break;
      }
      room -= width(codePoint);
      end += Character.charCount(codePoint);
    }
    return ellipsis ? text.substring(0, end) + "…" : text.substring(0, end);
  }

  /**
   * The text with each control character (line breaks, tabs, escapes) as a space: a class or file
   * name from a data set can't move the cursor or break a table.
   */
  public static String printable(String text) {
    if (text.codePoints().noneMatch(TerminalText::isControl)) {
      return text;
    }
    var safe = new StringBuilder(text.length());
    text.codePoints().map(c -> isControl(c) ? ' ' : c).forEach(safe::appendCodePoint);
    return safe.toString();
  }

  private static boolean isControl(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE ->
          true;
      case Character.FORMAT -> isBidirectional(codePoint);
      default -> false;
    };
  }

  /** Overrides and isolates, which would reorder the rest of a line. */
  private static boolean isBidirectional(int c) {
    return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
  }

  private static int width(int codePoint) {
    if (codePoint < 0x300) {
      return 1;
    }
    return switch (Character.getType(codePoint)) {
      case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.FORMAT -> 0;
      default -> isWide(codePoint) ? 2 : 1;
    };
  }

  /** The blocks of Unicode Standard Annex 11 whose characters are wide, coarsely. */
  private static boolean isWide(int c) {
    return (c >= 0x1100 && c <= 0x115F)
        || (c >= 0x2E80 && c <= 0xA4CF && c != 0x303F)
        || (c >= 0xAC00 && c <= 0xD7A3)
        || (c >= 0xF900 && c <= 0xFAFF)
        || (c >= 0xFE30 && c <= 0xFE6F)
        || (c >= 0xFF00 && c <= 0xFF60)
        || (c >= 0xFFE0 && c <= 0xFFE6)
        || (c >= 0x1F300 && c <= 0x1F64F)
        || (c >= 0x1F900 && c <= 0x1F9FF)
        || (c >= 0x20000 && c <= 0x3FFFD);
  }
}
