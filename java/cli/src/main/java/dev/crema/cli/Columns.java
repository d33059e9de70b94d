package dev.crema.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.crema.data.ColumnUse;
import dev.crema.io.Json;
import dev.crema.text.Table;
import java.util.List;

/** Shows what a training makes of the columns of its table. */
final class Columns {
  private static final int MOST_ROWS = 40;
  private static final int WIDEST_NAME = 30;

  private Columns() {}

  /** Columns of the same use that follow each other stand in one line where there are many. */
  static String table(List<ColumnUse> columns) {
    Table table = Table.of("Column", "Used as", "Inputs").style(Table.Style.PLAIN);
    table.maxWidth(0, WIDEST_NAME);
    int rows = 0;
    for (int from = 0; from < columns.size(); rows++) {
      ColumnUse first = columns.get(from);
      int to = columns.size() <= MOST_ROWS ? from + 1 : endOfAlike(columns, from);
      if (rows == MOST_ROWS) {
        table.row(
            "… " + (columns.size() - from) + " more",
            "",
            inputs(columns.subList(from, columns.size())));
        break;
      }
      String name = first.column() + (to > from + 1 ? " … " + columns.get(to - 1).column() : "");
      table.row(name, first.use(), inputs(columns.subList(from, to)));
      from = to;
    }
    return table.toString();
  }

  private static int endOfAlike(List<ColumnUse> columns, int from) {
    int to = from + 1;
    while (to < columns.size() && columns.get(to).use().equals(columns.get(from).use())) {
      to++;
    }
    return to;
  }

  private static int inputs(List<ColumnUse> columns) {
    return columns.stream().mapToInt(ColumnUse::inputs).sum();
  }

  static ArrayNode json(List<ColumnUse> columns) {
    ArrayNode array = Json.mapper().createArrayNode();
    for (ColumnUse column : columns) {
      array
          .addObject()
          .put("column", column.column())
          .put("use", column.use())
          .put("inputs", column.inputs());
    }
    return array;
  }
}
