package dev.crema.eval;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.text.Table;
import dev.crema.text.TerminalText;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/**
 * How often examples of each class were predicted as each class. Immutable.
 *
 * <p>A row has one more possible outcome than there are classes: {@link #undecided}, examples whose
 * prediction was NaN.
 */
public final class ConfusionMatrix {
  private static final int MAX_PRINTED = 20;
  private static final int MAX_NAME = 16;
  private static final int MAX_HEADER = 10;
  private static final int MAX_CONFUSIONS = 10;

  private final List<String> names;
  // [actual][predicted], and the undecided in a last column
  private final long[][] counts;

  /**
   * @param counts [actual, predicted + 1]; the last column counts the undecided. Copied
   */
  ConfusionMatrix(List<String> names, long[][] counts) {
    this.names = List.copyOf(names);
    this.counts = Arrays.stream(counts).map(long[]::clone).toArray(long[][]::new);
  }

  public List<String> classNames() {
    return names;
  }

  public int classes() {
    return names.size();
  }

  /** Examples of one class that were predicted as another or the same. */
  public long count(int actual, int predicted) {
    return counts[actual][Objects.checkIndex(predicted, names.size())];
  }

  /** Examples of a class whose prediction was NaN. */
  public long undecided(int actual) {
    return counts[actual][names.size()];
  }

  /** Examples of a class. */
  public long support(int actual) {
    return Arrays.stream(counts[actual]).sum();
  }

  /** How often a class was predicted. */
  public long predicted(int predicted) {
    Objects.checkIndex(predicted, names.size());
    return Arrays.stream(counts).mapToLong(row -> row[predicted]).sum();
  }

  /** All examples. */
  public long total() {
    return Arrays.stream(counts).flatMapToLong(Arrays::stream).sum();
  }

  /** Examples on the diagonal: the right ones. */
  public long correct() {
    long sum = 0;
    for (int c = 0; c < names.size(); c++) {
      sum += counts[c][c];
    }
    return sum;
  }

  /** {@code classes} (names), {@code counts} (rows: actual, columns: predicted), undecided. */
  public ObjectNode toJson() {
    ObjectNode json = Json.object();
    var labels = json.putArray("classes");
    names.forEach(labels::add);
    var rows = json.putArray("counts");
    var undecided = json.putArray("undecided");
    for (long[] row : counts) {
      var cells = rows.addArray();
      Arrays.stream(row, 0, names.size()).forEach(cells::add);
      undecided.add(row[names.size()]);
    }
    return json;
  }

  /** The matrix up to 20 classes; beyond, the most frequent confusions. */
  @Override
  public String toString() {
    return names.size() <= MAX_PRINTED ? matrix() : confusions();
  }

  private String matrix() {
    boolean anyUndecided = Arrays.stream(counts).anyMatch(row -> row[names.size()] > 0);
    int columns = names.size() + (anyUndecided ? 2 : 1);
    String[] header = new String[columns];
    header[0] = "actual \\ predicted";
    for (int c = 0; c < names.size(); c++) {
      header[c + 1] = names.get(c);
    }
    if (anyUndecided) {
      header[columns - 1] = "(NaN)";
    }
    Table table = Table.of(header).style(Table.Style.PLAIN);
    for (int c = 1; c < columns; c++) {
      table.align(c, Table.Align.RIGHT).maxWidth(c, MAX_HEADER);
    }
    for (int a = 0; a < names.size(); a++) {
      Object[] row = new Object[columns];
      row[0] = TerminalText.cut(names.get(a), MAX_NAME);
      for (int c = 1; c < columns; c++) {
        row[c] = counts[a][c - 1];
      }
      table.row(row);
    }
    return table.toString();
  }

  private record Confusion(int actual, int predicted, long count) {}

  private String confusions() {
    List<Confusion> wrong = new ArrayList<>();
    for (int a = 0; a < names.size(); a++) {
      for (int p = 0; p < names.size(); p++) {
        if (a != p && counts[a][p] > 0) {
          wrong.add(new Confusion(a, p, counts[a][p]));
        }
      }
    }
    wrong.sort(Comparator.comparingLong(Confusion::count).reversed());
    Table table =
        Table.of("actual", "predicted as", "examples")
            .style(Table.Style.PLAIN)
            .maxWidth(0, 2 * MAX_NAME)
            .maxWidth(1, 2 * MAX_NAME);
    for (Confusion c : wrong.subList(0, Math.min(MAX_CONFUSIONS, wrong.size()))) {
      table.row(names.get(c.actual), names.get(c.predicted), c.count);
    }
    return table.toString();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ConfusionMatrix that
        && names.equals(that.names)
        && Arrays.deepEquals(counts, that.counts);
  }

  @Override
  public int hashCode() {
    return 31 * names.hashCode() + Arrays.deepHashCode(counts);
  }
}
