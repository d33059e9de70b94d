package dev.crema.data;

/**
 * Shuffles a stream within a window: each newcomer takes the place of a random resident, which
 * leaves. An example moves about one window ahead at most, so a file that is sorted by class must
 * be shuffled before, or the window be large.
 */
final class ShuffleWindow<T> {
  private final T[] residents;
  private final Mix random;
  private int size;

  /**
   * @param room an array of the window's size; its elements are overwritten
   */
  ShuffleWindow(T[] room, long seed) {
    this.residents = room;
    this.random = new Mix(seed);
  }

  boolean isFull() {
    return size == residents.length;
  }

  boolean isEmpty() {
    return size == 0;
  }

  void add(T newcomer) {
    residents[size++] = newcomer;
  }

  /** Puts {@code newcomer} in the place of a random resident, which it returns. */
  T swap(T newcomer) {
    int i = random.below(size);
    T leaving = residents[i];
    residents[i] = newcomer;
    return leaving;
  }

  /** Takes a random resident out, once no newcomers are left. */
  T remove() {
    int i = random.below(size);
    T leaving = residents[i];
    residents[i] = residents[--size];
    return leaving;
  }
}
