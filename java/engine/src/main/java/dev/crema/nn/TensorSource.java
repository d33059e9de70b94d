package dev.crema.nn;

import java.nio.ByteBuffer;

/** Where tensors are read from. */
@FunctionalInterface
interface TensorSource {
  /** Reads as many bytes of a tensor as remain in {@code dst}, from that byte on. */
  void read(String name, long from, ByteBuffer dst);
}
