package dev.crema.compress;

import dev.crema.graph.TensorType;
import java.util.function.IntConsumer;

/**
 * What of a weight is pruned as one, by number: each a set of its elements. The weight is seen as a
 * matrix [rows, columns] of its last axis and all others.
 */
sealed interface Units {
  int count();

  /** Calls {@code action} with the position of each element of a unit. */
  void elements(int unit, IntConsumer action);

  /** Those of a pattern over a weight. */
  static Units of(Pattern pattern, int rows, int columns) {
    if (pattern instanceof Pattern.Block b) {
      return new Blocks(rows, columns, b.rows(), b.columns());
    }
    return pattern instanceof Pattern.Channel
        ? new Columns(rows, columns)
        : new Single(rows * columns);
  }

  /** Each element. */
  record Single(int count) implements Units {
    @Override
    public void elements(int unit, IntConsumer action) {
      action.accept(unit);
    }

    @Override
    public int[] ranks(float[] weights, boolean[] kept) {
      int[] ranks = new int[count];
      for (int i = 0; i < count; i++) {
        ranks[i] = kept[i] ? Ranking.of(Math.abs(weights[i])) : Ranking.PRUNED;
      }
      return ranks;
    }
  }

  /** Each column. */
  record Columns(int rows, int columns) implements Units {
    @Override
    public int count() {
      return columns;
    }

    @Override
    public void elements(int unit, IntConsumer action) {
      for (int r = 0; r < rows; r++) {
        action.accept(r * columns + unit);
      }
    }
  }

  /** A grid of blocks; those of the last row and column of the grid may be smaller. */
  record Blocks(int rows, int columns, int height, int width) implements Units {
    @Override
    public int count() {
      return across() * ((rows + height - 1) / height);
    }

    private int across() {
      return (columns + width - 1) / width;
    }

    @Override
    public void elements(int unit, IntConsumer action) {
      int top = unit / across() * height;
      int left = unit % across() * width;
      for (int r = top; r < Math.min(rows, top + height); r++) {
        for (int c = left; c < Math.min(columns, left + width); c++) {
          action.accept(r * columns + c);
        }
      }
    }
  }

  /** How large each unit is: its root mean square, or {@link Ranking#PRUNED}. */
  default int[] ranks(float[] weights, boolean[] kept) {
    int[] ranks = new int[count()];
    double[] sum = new double[2]; // of squares, of elements
    boolean[] any = new boolean[1];
    for (int u = 0; u < ranks.length; u++) {
      sum[0] = 0;
      sum[1] = 0;
      any[0] = false;
      elements(
          u,
          i -> {
            sum[0] += (double) weights[i] * weights[i];
            sum[1]++;
            any[0] |= kept[i];
          });
      ranks[u] = any[0] ? Ranking.of(Math.sqrt(sum[0] / sum[1])) : Ranking.PRUNED;
    }
    return ranks;
  }

  /** Prunes, of each m successive rows of each column, all but the n largest. */
  static void keepNOfM(Pattern.NOfM pattern, TensorType type, float[] weights, boolean[] kept) {
    int columns = Math.toIntExact(type.extent(-1));
    int rows = weights.length / Math.max(1, columns);
    int m = pattern.m();
    for (int at = 0; at < rows; at += m) {
      for (int c = 0; c < columns; c++) {
        for (int drop = 0; drop < m - pattern.n(); drop++) {
          dropSmallest(weights, kept, at * columns + c, columns, m, drop);
        }
      }
    }
  }

  /** Prunes the smallest that is left of a group, unless {@code already} and more are gone. */
  private static void dropSmallest(
      float[] weights, boolean[] kept, int first, int stride, int m, int already) {
    int smallest = -1;
    int gone = 0;
    for (int k = 0; k < m; k++) {
      int i = first + k * stride;
      if (!kept[i]) {
        gone++;
      } else if (smallest < 0 || Math.abs(weights[i]) < Math.abs(weights[smallest])) {
        smallest = i;
      }
    }
    if (gone <= already) {
      kept[smallest] = false;
    }
  }
}
