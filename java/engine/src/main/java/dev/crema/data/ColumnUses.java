package dev.crema.data;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Tells people what was made of a table's columns.
 *
 * @param reasons why a column isn't used, by its place in the file
 */
record ColumnUses(CsvSurvey survey, Map<Integer, String> reasons) {
  /** What was done with each column, in the order of the file. */
  List<ColumnUse> of(TablePreprocessing table) {
    CsvFormat format = survey.format();
    List<ColumnUse> uses = new ArrayList<>();
    Iterator<TablePreprocessing.Column> columns = table.columns().iterator();
    for (int c = 0; c < format.names().size(); c++) {
      String name = format.names().get(c);
      if (survey.isLabel(c)) {
        uses.add(new ColumnUse(name, target(table, c), 0));
      } else {
        TablePreprocessing.Column column = columns.next();
        uses.add(new ColumnUse(name, use(column, c), column.width()));
      }
    }
    return uses;
  }

  private String use(TablePreprocessing.Column column, int c) {
    if (column instanceof TablePreprocessing.Numeric n) {
      return "number" + written(n.figures());
    }
    if (column instanceof TablePreprocessing.Date d) {
      String cycles = d.cycles().stream().map(Cycle::toString).collect(Collectors.joining(", "));
      return "date, " + d.order() + (cycles.isEmpty() ? "" : ", and place in " + cycles);
    }
    if (column instanceof TablePreprocessing.Categorical k) {
      int n = k.categories().size();
      int all = survey.column(c).distinctCount();
      boolean some = survey.column(c).hasManyDistinct();
      return n
          + (n == 1 ? " category" : " categories")
          + (k.missing() ? " and missing" : "")
          + (some ? ", the most frequent of " + all : "");
    }
    return "not used: " + reasons.get(c);
  }

  private static String written(Figures figures) {
    return figures == null ? "" : " such as " + figures.example();
  }

  private static String target(TablePreprocessing table, int c) {
    TablePreprocessing.Target target =
        table.targets().stream().filter(t -> t.position() == c).findFirst().orElseThrow();
    if (target instanceof TablePreprocessing.Classes k) {
      return "label, " + k.classNames().size() + " classes";
    }
    return target instanceof TablePreprocessing.Value v
        ? "label, number" + written(v.figures())
        : "label, yes or no";
  }
}
