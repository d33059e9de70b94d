package dev.crema.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * A table of text. Whole numbers are printed with group separators ({@code 1,234,567}), fractions
 * with a column's number of decimals; a column whose cells are all numbers is aligned right unless
 * {@link #align} says otherwise. Control characters in cells are printed as spaces.
 *
 * <pre>{@code
 * Table.of("Layer", "Output", "Parameters").row("dense", "[n, 64]", 6464).rule().row("", "", 6464)
 * }</pre>
 *
 * <p>Built by one thread; {@link #toString()} has no side effect and ends with a line break.
 */
public final class Table {
  /** Where a cell's text stands in its column. */
  public enum Align {
    LEFT,
    RIGHT
  }

  /** How the table is framed. */
  public enum Style {
    /** Unicode box-drawing lines. */
    BOX("│", "─", "┌┬┐", "├┼┤", "└┴┘"),
    /** Lines of {@code + - |}: for terminals and files without Unicode. */
    ASCII("|", "-", "+++", "+++", "+++"),
    /** No lines: columns stand two spaces apart and a rule is an empty line. */
    PLAIN("", "", "", "", "");

    private final String vertical;
    private final String horizontal;
    private final String top;
    private final String middle;
    private final String bottom;

    Style(String vertical, String horizontal, String top, String middle, String bottom) {
      this.vertical = vertical;
      this.horizontal = horizontal;
      this.top = top;
      this.middle = middle;
      this.bottom = bottom;
    }
  }

  private static final int DEFAULT_DECIMALS = 4;
  private static final double GREAT = 1e6;
  private static final double GIANT = 1e15;

  private final List<String> header;
  private final List<Object[]> rows = new ArrayList<>();
  private final Align[] align;
  private final int[] maxWidth;
  private final int[] decimals;
  private Style style = Style.BOX;
  private String title = "";

  private Table(String[] header) {
    this.header = Arrays.stream(header).map(TerminalText::printable).toList();
    align = new Align[header.length];
    maxWidth = new int[header.length];
    decimals = new int[header.length];
    Arrays.fill(maxWidth, Integer.MAX_VALUE);
    Arrays.fill(decimals, DEFAULT_DECIMALS);
  }

  /** An empty table with these column names, framed by {@link Style#BOX}. */
  public static Table of(String... header) {
    if (header.length == 0) {
      throw new IllegalArgumentException("Table: expected at least one column, got none.");
    }
    return new Table(header);
  }

  /** A line above the table. */
  public Table title(String text) {
    title = TerminalText.printable(text);
    return this;
  }

  public Table style(Style frame) {
    style = frame;
    return this;
  }

  /** Aligns a column (from 0), its header too. */
  public Table align(int column, Align alignment) {
    align[column] = alignment;
    return this;
  }

  /** Cuts longer texts of a column (from 0) with an ellipsis; its header too. */
  public Table maxWidth(int column, int terminalColumns) {
    maxWidth[column] = terminalColumns;
    return this;
  }

  /** Decimals of a column's fractions; 4 unless set. */
  public Table decimals(int column, int digits) {
    decimals[column] = digits;
    return this;
  }

  /**
   * Adds a row. A null is an empty cell, and so is each cell missing at the end.
   *
   * @throws IllegalArgumentException if there are more cells than columns
   */
  public Table row(Object... cells) {
    if (cells.length > header.size()) {
      throw new IllegalArgumentException(
          "Table row has %s cells but the table has %s columns (%s)."
              .formatted(cells.length, header.size(), String.join(", ", header)));
    }
    rows.add(Arrays.copyOf(cells, header.size(), Object[].class));
    return this;
  }

  /** Adds a line between the rows before and the rows after. */
  public Table rule() {
    rows.add(null);
    return this;
  }

  @Override
  public String toString() {
    int columns = header.size();
    var text = new ArrayList<String[]>(rows.size());
    int[] widths = new int[columns];
    String[] head = new String[columns];
    for (int c = 0; c < columns; c++) {
      head[c] = TerminalText.cut(header.get(c), maxWidth[c]);
      widths[c] = TerminalText.width(head[c]);
    }
    for (Object[] row : rows) {
      String[] cells = row == null ? null : new String[columns];
      for (int c = 0; row != null && c < columns; c++) {
        cells[c] = TerminalText.cut(format(row[c], decimals[c]), maxWidth[c]);
        widths[c] = Math.max(widths[c], TerminalText.width(cells[c]));
      }
      text.add(cells);
    }
    Align[] sides = alignments();
    var out = new StringBuilder();
    if (!title.isEmpty()) {
      out.append(title).append('\n');
    }
    ruleTo(out, widths, style.top);
    rowTo(out, head, widths, sides);
    if (style == Style.PLAIN) {
      out.append('\n');
    } else {
      ruleTo(out, widths, style.middle);
    }
    for (String[] cells : text) {
      if (cells != null) {
        rowTo(out, cells, widths, sides);
      } else if (style == Style.PLAIN) {
        out.append('\n');
      } else {
        ruleTo(out, widths, style.middle);
      }
    }
    ruleTo(out, widths, style.bottom);
    return out.toString();
  }

  private Align[] alignments() {
    Align[] sides = align.clone();
    for (int c = 0; c < sides.length; c++) {
      int column = c;
      if (sides[c] == null) {
        boolean numbers = false;
        boolean others = false;
        for (Object[] row : rows) {
          Object cell = row == null ? null : row[column];
          numbers |= cell instanceof Number;
          others |= cell != null && !(cell instanceof Number) && !cell.toString().isEmpty();
        }
        sides[c] = numbers && !others ? Align.RIGHT : Align.LEFT;
      }
    }
    return sides;
  }

  /** Great numbers lose their decimals; what would be too long or all zeros is scientific. */
  private static String format(double value, int decimals) {
    if (!Double.isFinite(value)) {
      return String.valueOf(value);
    }
    double size = Math.abs(value);
    if (size >= GIANT || size != 0 && size < 0.5 * Math.pow(10, -decimals)) {
      return String.format(Locale.ROOT, "%.3e", value);
    }
    return String.format(Locale.ROOT, "%,." + (size < GREAT ? decimals : 0) + "f", value);
  }

  private static String format(Object cell, int decimals) {
    if (cell == null) {
      return "";
    }
    if (cell instanceof Double || cell instanceof Float) {
      return format(((Number) cell).doubleValue(), decimals);
    }
    if (cell instanceof Long
        || cell instanceof Integer
        || cell instanceof Short
        || cell instanceof Byte) {
      return String.format(Locale.ROOT, "%,d", ((Number) cell).longValue());
    }
    return TerminalText.printable(cell.toString());
  }

  private void ruleTo(StringBuilder out, int[] widths, String joints) {
    if (style == Style.PLAIN) {
      return;
    }
    for (int c = 0; c < widths.length; c++) {
      out.append(joints.charAt(c == 0 ? 0 : 1)).append(style.horizontal.repeat(widths[c] + 2));
    }
    out.append(joints.charAt(2)).append('\n');
  }

  private void rowTo(StringBuilder out, String[] cells, int[] widths, Align[] sides) {
    int start = out.length();
    for (int c = 0; c < cells.length; c++) {
      if (style == Style.PLAIN) {
        out.append(c == 0 ? "" : "  ");
      } else {
        out.append(style.vertical).append(' ');
      }
      String pad = " ".repeat(widths[c] - TerminalText.width(cells[c]));
      out.append(sides[c] == Align.RIGHT ? pad : "").append(cells[c]);
      out.append(sides[c] == Align.RIGHT ? "" : pad);
      out.append(style == Style.PLAIN ? "" : " ");
    }
    out.append(style.vertical);
    while (out.length() > start && out.charAt(out.length() - 1) == ' ') {
      out.setLength(out.length() - 1);
    }
    out.append('\n');
  }
}
