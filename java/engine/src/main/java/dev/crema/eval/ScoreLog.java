package dev.crema.eval;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Scores kept for an exact ROC AUC: 4 bytes a score and 4 a label. Past its limit of bytes it drops
 * them all and keeps none.
 */
final class ScoreLog {
  private static final int CHUNK_FLOATS = 1 << 14;

  private record Chunk(float[] scores, int[] labels, int rows) {}

  private final int columns;
  private final int chunkRows;
  private final long limitBytes;
  private final List<Chunk> full = new ArrayList<>();
  private float[] scores;
  private int[] labels;
  private int filled;
  private long rows;
  private boolean dropped;

  ScoreLog(int columns, long limitBytes) {
    this.columns = columns;
    this.limitBytes = limitBytes;
    chunkRows = Math.max(1, CHUNK_FLOATS / columns);
  }

  /** Whether there were more scores than it may keep. */
  boolean isDropped() {
    return dropped;
  }

  static String droppedWarning(long limitBytes) {
    return String.format(
        Locale.ROOT,
        "ROC AUC is left out: its scores need more than %,d bytes; raise rocAucMemory.",
        limitBytes);
  }

  /** Adds a row: {@code row[0 .. columns)} and its label. */
  void add(double[] row, int label) {
    if (!reserve(1)) {
      return;
    }
    if (scores == null) {
      scores = new float[chunkRows * columns];
      labels = new int[chunkRows];
    }
    for (int c = 0; c < columns; c++) {
      scores[filled * columns + c] = (float) row[c];
    }
    labels[filled++] = label;
    if (filled == chunkRows) {
      seal();
    }
  }

  /** Takes a copy of the other's rows. */
  void merge(ScoreLog other) {
    if (other.dropped) {
      drop();
    }
    if (dropped || !reserve(other.rows)) {
      return;
    }
    seal();
    full.addAll(other.full);
    if (other.filled > 0) {
      full.add(new Chunk(other.scores.clone(), other.labels.clone(), other.filled));
    }
  }

  /** AUC of one column's scores, rows with the label being positive; NaN where not defined. */
  double auc(int column, int positiveLabel) {
    if (dropped || rows > Integer.MAX_VALUE - 8) {
      return Double.NaN;
    }
    long[] keys = new long[(int) rows];
    int n = 0;
    for (Chunk chunk : full) {
      n = keysOf(chunk.scores, chunk.labels, chunk.rows, column, positiveLabel, keys, n);
    }
    keysOf(scores, labels, filled, column, positiveLabel, keys, n);
    return RocAuc.ofKeys(keys);
  }

  private int keysOf(
      float[] from, int[] rowLabels, int count, int column, int positive, long[] keys, int n) {
    for (int r = 0; r < count; r++) {
      keys[n + r] = RocAuc.key(from[r * columns + column], rowLabels[r] == positive);
    }
    return n + count;
  }

  private boolean reserve(long more) {
    if (dropped || (rows + more) * 4L * (columns + 1) > limitBytes) {
      drop();
      return false;
    }
    rows += more;
    return true;
  }

  private void seal() {
    if (filled > 0) {
      full.add(new Chunk(scores, labels, filled));
      scores = null;
      labels = null;
      filled = 0;
    }
  }

  private void drop() {
    dropped = true;
    full.clear();
    scores = null;
    labels = null;
    filled = 0;
    rows = 0;
  }
}
