package dev.crema.data;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/** Numbers a bounded set of short byte strings from 0, without making a String of each look-up. */
final class ByteTable {
  private final int most;
  private byte[][] keys = new byte[16][];
  private int[] slots = new int[64];
  private int size;

  /**
   * @param most strings that it takes
   */
  ByteTable(int most) {
    this.most = most;
    Arrays.fill(slots, -1);
  }

  /** Those strings, numbered in their order. */
  static ByteTable of(List<String> texts) {
    ByteTable table = new ByteTable(texts.size());
    for (String text : texts) {
      byte[] key = text.getBytes(StandardCharsets.UTF_8);
      table.add(key, 0, key.length);
    }
    return table;
  }

  int size() {
    return size;
  }

  String text(int number) {
    return new String(keys[number], StandardCharsets.UTF_8);
  }

  /** The string's number, or -1. */
  int find(byte[] b, int from, int to) {
    return slots[slot(b, from, to)];
  }

  /** As find, but for bytes that may not be UTF-8 while the strings came through a String. */
  int findText(byte[] b, int from, int to) {
    int found = find(b, from, to);
    if (found >= 0) {
      return found;
    }
    byte[] text =
        new String(b, from, to - from, StandardCharsets.UTF_8).getBytes(StandardCharsets.UTF_8);
    return find(text, 0, text.length);
  }

  /** The string's number, which may be new; -1 if the table is full. */
  int add(byte[] b, int from, int to) {
    int slot = slot(b, from, to);
    if (slots[slot] >= 0) {
      return slots[slot];
    }
    if (size == most) {
      return -1;
    }
    if (size == keys.length) {
      keys = Arrays.copyOf(keys, 2 * size);
    }
    keys[size] = Arrays.copyOfRange(b, from, to);
    slots[slot] = size++;
    if (2 * size > slots.length) {
      grow();
    }
    return size - 1;
  }

  private void grow() {
    slots = new int[4 * slots.length];
    Arrays.fill(slots, -1);
    for (int i = 0; i < size; i++) {
      slots[slot(keys[i], 0, keys[i].length)] = i;
    }
  }

  private int slot(byte[] b, int from, int to) {
    int mask = slots.length - 1;
    int slot = (int) Mix.hash(b, from, to) & mask;
    while (slots[slot] >= 0
        && !Arrays.equals(keys[slots[slot]], 0, keys[slots[slot]].length, b, from, to)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }
}
