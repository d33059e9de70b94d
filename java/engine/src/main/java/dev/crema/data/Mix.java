package dev.crema.data;

/** Hashing for orders and splits: finaliser and stream of SplitMix64 (Steele et al., 2014). */
final class Mix {
  private static final long GAMMA = 0x9E3779B97F4A7C15L;
  private static final long PRIME = 0x100000001B3L;

  private long state;

  Mix(long seed) {
    state = hash(seed);
  }

  static long hash(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** Hash of some bytes. */
  static long hash(byte[] bytes, int from, int to) {
    long h = 0xCBF29CE484222325L;
    for (int i = from; i < to; i++) {
      h = (h ^ bytes[i]) * PRIME;
    }
    return hash(h);
  }

  /** Maps a hash and a seed to [0, 1). */
  static double unit(long hash, long seed) {
    return (hash(hash ^ hash(seed + GAMMA)) >>> 11) * 0x1p-53;
  }

  long next() {
    state += GAMMA;
    return hash(state);
  }

  /** Uniform in [0, bound) (Lemire, 2019, without the rejection: bias below bound / 2^64). */
  int below(int bound) {
    return (int) Math.multiplyHigh(next() >>> 1, (long) bound << 1);
  }

  /** Fisher–Yates. */
  void shuffle(int[] values) {
    for (int i = values.length - 1; i > 0; i--) {
      int j = below(i + 1);
      int t = values[i];
      values[i] = values[j];
      values[j] = t;
    }
  }
}
