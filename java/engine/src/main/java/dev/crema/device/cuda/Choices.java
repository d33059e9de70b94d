package dev.crema.device.cuda;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Which way of each form the card has found to be the fastest, of those used last. Kept for the
 * life of the device, for all plans; not on disk, so that every process compares the bits of its
 * own card and driver. Thread-safe.
 */
final class Choices {
  private static final int MOST_KEPT = 4096;

  private final Object racing = new Object();
  private final Map<String, String> kinds = new LinkedHashMap<>(16, 0.75f, true);

  /** Held while ways are timed: two trials at once would time each other. */
  Object racing() {
    return racing;
  }

  /** The kind that was chosen for a form; null: none was. */
  synchronized String of(String form) {
    return kinds.get(form);
  }

  synchronized void put(String form, String kind) {
    kinds.put(form, kind);
    if (kinds.size() > MOST_KEPT) {
      kinds.remove(kinds.keySet().iterator().next());
    }
  }

  /** All that were made, by form. */
  synchronized Map<String, String> all() {
    return new LinkedHashMap<>(kinds);
  }
}
