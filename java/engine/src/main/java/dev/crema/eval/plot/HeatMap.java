package dev.crema.eval.plot;

import java.util.Arrays;
import java.util.List;

/** A panel of coloured cells, rows from top to bottom. Immutable. */
public final class HeatMap implements Panel {
  private final String title;
  private final String xLabel;
  private final String yLabel;
  private final List<String> columns;
  private final List<String> rows;
  private final double[][] shares;
  private final String[][] texts;

  private HeatMap(
      String title,
      String xLabel,
      String yLabel,
      List<String> columns,
      List<String> rows,
      double[][] shares,
      String[][] texts) {
    this.title = title;
    this.xLabel = xLabel;
    this.yLabel = yLabel;
    this.columns = List.copyOf(columns);
    this.rows = List.copyOf(rows);
    this.shares = Arrays.stream(shares).map(double[]::clone).toArray(double[][]::new);
    this.texts = Arrays.stream(texts).map(String[]::clone).toArray(String[][]::new);
    requireSize(shares.length, rows.size(), "rows");
    requireSize(texts.length, rows.size(), "rows");
    for (int r = 0; r < shares.length; r++) {
      requireSize(shares[r].length, columns.size(), "columns");
      requireSize(texts[r].length, columns.size(), "columns");
    }
  }

  private static void requireSize(int actual, int expected, String what) {
    if (actual != expected) {
      throw new IllegalArgumentException(
          "HeatMap: expected %s %s of cells, one for each name, got %s."
              .formatted(expected, what, actual));
    }
  }

  /**
   * @param title above the cells
   * @param xLabel what the columns are
   * @param yLabel what the rows are
   * @param columns names of columns
   * @param rows names of rows
   * @param shares [rows, columns], darkness of each cell from 0 to 1; NaN is blank
   * @param texts [rows, columns], written into the cells where there is room
   */
  public static HeatMap of(
      String title,
      String xLabel,
      String yLabel,
      List<String> columns,
      List<String> rows,
      double[][] shares,
      String[][] texts) {
    return new HeatMap(title, xLabel, yLabel, columns, rows, shares, texts);
  }

  String title() {
    return title;
  }

  String xLabel() {
    return xLabel;
  }

  String yLabel() {
    return yLabel;
  }

  List<String> columns() {
    return columns;
  }

  List<String> rows() {
    return rows;
  }

  double share(int row, int column) {
    return shares[row][column];
  }

  String text(int row, int column) {
    return texts[row][column];
  }
}
