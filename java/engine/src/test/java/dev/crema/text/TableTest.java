package dev.crema.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TableTest {
  private static Table summary() {
    return Table.of("Layer", "Output", "Parameters")
        .row("dense_1", "[n, 64]", 6464)
        .row("dense_2", "[n, 10]", 1_234_567L)
        .rule()
        .row("total", null, 1_241_031L);
  }

  @Test
  void framesColumnsWithBoxLinesAndAlignsNumbersRight() {
    assertThat(summary().title("Model"))
        .hasToString(
            """
            Model
            ┌─────────┬─────────┬────────────┐
            │ Layer   │ Output  │ Parameters │
            ├─────────┼─────────┼────────────┤
            │ dense_1 │ [n, 64] │      6,464 │
            │ dense_2 │ [n, 10] │  1,234,567 │
            ├─────────┼─────────┼────────────┤
            │ total   │         │  1,241,031 │
            └─────────┴─────────┴────────────┘
            """);
  }

  @Test
  void framesColumnsWithAscii() {
    assertThat(Table.of("a", "b").style(Table.Style.ASCII).row("x", 1.5).decimals(1, 2))
        .hasToString(
            """
            +---+------+
            | a |    b |
            +---+------+
            | x | 1.50 |
            +---+------+
            """);
  }

  @Test
  void plainTableHasNoLinesAndNoTrailingSpaces() {
    assertThat(summary().style(Table.Style.PLAIN))
        .hasToString(
            """
            Layer    Output   Parameters

            dense_1  [n, 64]       6,464
            dense_2  [n, 10]   1,234,567

            total              1,241,031
            """);
  }

  @Test
  void explicitAlignmentWins() {
    String text =
        Table.of("number", "text")
            .align(0, Table.Align.LEFT)
            .align(1, Table.Align.RIGHT)
            .style(Table.Style.PLAIN)
            .row(1, "a")
            .toString();
    assertThat(text).endsWith("1          a\n");
  }

  @Test
  void cutsLongNamesAndCountsWideCharactersAsTwoColumns() {
    String text =
        Table.of("name").maxWidth(0, 6).row("abcdefghij").row("日本語文字").row("猫").toString();
    assertThat(text).contains("│ abcde… │", "│ 日本…  │", "│ 猫     │");
  }

  @Test
  void controlCharactersCannotBreakTheTable() {
    String text = Table.of("a").row("x\ny\u001b[31m\tz").toString();
    assertThat(text.lines()).hasSize(5);
    assertThat(text).contains("│ x y [31m z │");
  }

  @Test
  void fractionsThatAreNotFiniteAreNamed() {
    assertThat(Table.of("v").row(Double.NaN).row(Double.NEGATIVE_INFINITY).toString())
        .contains("NaN", "-Infinity");
  }

  @Test
  void moreCellsThanColumnsAreRefused() {
    assertThatThrownBy(() -> Table.of("a", "b").row(1, 2, 3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("3 cells")
        .hasMessageContaining("2 columns (a, b)");
  }

  @Test
  void cutNeverExceedsItsWidth() {
    for (int columns = 0; columns < 8; columns++) {
      assertThat(TerminalText.width(TerminalText.cut("a猫b犬cdé", columns)))
          .isLessThanOrEqualTo(columns);
    }
    assertThat(TerminalText.cut("abc", 3)).isEqualTo("abc");
  }

  @Test
  void numbersOfAnySizeStayReadable() {
    Table table = Table.of("value").style(Table.Style.PLAIN);
    for (double v : new double[] {0, 0.25, 3e-7, -999_999.5, 1_234_567.8, 2.382e20, -1e15}) {
      table.row(v);
    }
    assertThat(table.toString().lines().map(String::strip).filter(l -> !l.isEmpty()))
        .containsExactly(
            "value",
            "0.0000",
            "0.2500",
            "3.000e-07",
            "-999,999.5000",
            "1,234,568",
            "2.382e+20",
            "-1.000e+15");
  }
}
