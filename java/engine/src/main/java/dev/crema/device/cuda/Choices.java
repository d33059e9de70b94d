package dev.crema.device.cuda;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which way of each form the card has found to be the fastest, of those used last. Kept for the
 * life of the device, for all plans; not on disk, so that every process compares the bits of its
 * own card and driver. Thread-safe.
 */
final class Choices {
  private static final int MOST_KEPT = 4096;

  private final Object racing = new Object();
  private final Set<String> refused = new TreeSet<>();
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

  /** Says that a kind has written other bits than most. */
  synchronized void refuse(String form, String kind) {
    refused.add(form + " by " + kind);
  }

  /** What has written other bits than most, with its form. */
  synchronized Set<String> refused() {
    return new TreeSet<>(refused);
  }

  /** All that were made, by form. */
  synchronized Map<String, String> all() {
    return new LinkedHashMap<>(kinds);
  }
}
