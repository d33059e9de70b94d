package dev.crema.serving.monitoring;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What was predicted lately, by the client's ids. Holds so many numbers at most, and none that is
 * older than a time; the oldest go first. Thread-safe: ids are spread over parts, so that threads
 * seldom meet.
 */
final class RecentPredictions {
  private static final int PARTS = 16; // a power of two

  private final Part[] parts = new Part[PARTS];

  /** Ids are of a model: two models may use the same. */
  record Key(String model, String id) {}

  /**
   * Predictions of a request.
   *
   * @param classes for each row the class told
   * @param choices how many classes there are
   * @param names of the classes; empty if they have none
   * @param values of all rows; empty where each has too many
   */
  record Prediction(
      long version, long nanoTime, int[] classes, int choices, List<String> names, float[] values) {
    int rows() {
      return classes.length;
    }

    int width() {
      return values.length / classes.length;
    }

    int size() {
      return 8 + classes.length + values.length; // the rest counts as 8 numbers
    }
  }

  private final long keepNanos;
  private final long mostOfPart;

  /**
   * @param most numbers that are kept
   */
  RecentPredictions(long most, long keepNanos) {
    this.mostOfPart = Math.max(1, most / PARTS);
    this.keepNanos = keepNanos;
    for (int i = 0; i < PARTS; i++) {
      parts[i] = new Part();
    }
  }

  private static final class Part {
    final Map<Key, Prediction> all = new LinkedHashMap<>();
    long size;
  }

  void put(Key key, Prediction prediction) {
    if (prediction.size() > mostOfPart) {
      return;
    }
    Part part = part(key);
    synchronized (part) {
      Prediction old = part.all.remove(key); // so that it becomes the youngest
      part.size += prediction.size() - (old == null ? 0 : old.size());
      part.all.put(key, prediction);
      drop(part, prediction.nanoTime());
    }
  }

  private void drop(Part part, long nanoTime) {
    Iterator<Prediction> oldest = part.all.values().iterator();
    while (oldest.hasNext()) {
      Prediction each = oldest.next();
      if (part.size <= mostOfPart && nanoTime - each.nanoTime() <= keepNanos) {
        return;
      }
      part.size -= each.size();
      oldest.remove();
    }
  }

  /** Null if it is not there, or no longer. */
  Prediction get(Key key, long nanoTime) {
    Part part = part(key);
    synchronized (part) {
      drop(part, nanoTime);
      return part.all.get(key);
    }
  }

  /** Takes it out; null if it is not there, or no longer. */
  Prediction take(Key key, long nanoTime) {
    Part part = part(key);
    synchronized (part) {
      drop(part, nanoTime);
      Prediction found = part.all.remove(key);
      part.size -= found == null ? 0 : found.size();
      return found;
    }
  }

  /** How many are kept. */
  int count() {
    int count = 0;
    for (Part part : parts) {
      synchronized (part) {
        count += part.all.size();
      }
    }
    return count;
  }

  private Part part(Key key) {
    int hash = key.hashCode();
    return parts[(hash ^ hash >>> 16) & (PARTS - 1)];
  }
}
