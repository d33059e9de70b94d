package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.GraphCalls;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.function.IntFunction;

/**
 * Descriptors of cuDNN's graph API, which are made one after the other and given back together.
 * Numbers are cudnn_graph.h's. Not thread-safe.
 */
final class GraphDescriptors implements AutoCloseable {
  /** Types of attributes. */
  private enum Kind {
    HANDLE(0, Long.BYTES),
    DATA_TYPE(1, Integer.BYTES),
    BOOLEAN(2, 1),
    INT64(3, Long.BYTES),
    FLOAT(4, Float.BYTES),
    ADDRESS(6, Long.BYTES),
    CONVOLUTION_MODE(7, Integer.BYTES),
    HEURISTIC(8, Integer.BYTES),
    NUMERICAL_NOTE(11, Integer.BYTES),
    POINTWISE_MODE(14, Integer.BYTES),
    DESCRIPTOR(15, Long.BYTES),
    REDUCTION(18, Integer.BYTES),
    NORM_MODE(27, Integer.BYTES),
    NORM_PHASE(28, Integer.BYTES);

    private final int number;
    private final int bytes;

    Kind(int number, int bytes) {
      this.number = number;
      this.bytes = bytes;
    }

    private ByteBuffer room(int count) {
      return ByteBuffer.allocateDirect(bytes * Math.max(1, count)).order(ByteOrder.nativeOrder());
    }
  }

  private final GraphCalls calls;
  private final IntFunction<String> statusName;
  private final Deque<Long> made = new ArrayDeque<>();

  GraphDescriptors(GraphCalls calls, IntFunction<String> statusName) {
    this.calls = calls;
    this.statusName = statusName;
  }

  private void check(int status, String call, String what) {
    if (status != 0) {
      String reason = calls.cudnnGetLastErrorString();
      String gave = call + " of " + what + " gave " + statusName.apply(status);
      throw new CudaException(call, status, reason.isEmpty() ? gave : gave + ": " + reason);
    }
  }

  long make(int type) {
    long[] descriptor = new long[1];
    check(
        calls.cudnnBackendCreateDescriptor(type, descriptor),
        "cudnnBackendCreateDescriptor",
        "type " + type);
    made.push(descriptor[0]);
    return descriptor[0];
  }

  /** It has all its attributes. */
  void finish(long descriptor, String what) {
    check(calls.cudnnBackendFinalize(descriptor), "cudnnBackendFinalize", what);
  }

  private void set(long descriptor, int attribute, Kind kind, int count, ByteBuffer values) {
    check(
        calls.cudnnBackendSetAttribute(descriptor, attribute, kind.number, count, values),
        "cudnnBackendSetAttribute",
        "attribute " + attribute);
  }

  void handle(long descriptor, int attribute, long handle) {
    set(descriptor, attribute, Kind.HANDLE, 1, Kind.HANDLE.room(1).putLong(0, handle));
  }

  void dataType(long descriptor, int attribute, int type) {
    set(descriptor, attribute, Kind.DATA_TYPE, 1, Kind.DATA_TYPE.room(1).putInt(0, type));
  }

  void yes(long descriptor, int attribute) {
    set(descriptor, attribute, Kind.BOOLEAN, 1, Kind.BOOLEAN.room(1).put(0, (byte) 1));
  }

  void float32(long descriptor, int attribute, float value) {
    set(descriptor, attribute, Kind.FLOAT, 1, Kind.FLOAT.room(1).putFloat(0, value));
  }

  void convolutionMode(long descriptor, int attribute, int mode) {
    Kind kind = Kind.CONVOLUTION_MODE;
    set(descriptor, attribute, kind, 1, kind.room(1).putInt(0, mode));
  }

  void heuristic(long descriptor, int attribute, int mode) {
    set(descriptor, attribute, Kind.HEURISTIC, 1, Kind.HEURISTIC.room(1).putInt(0, mode));
  }

  void pointwiseMode(long descriptor, int attribute, int mode) {
    set(descriptor, attribute, Kind.POINTWISE_MODE, 1, Kind.POINTWISE_MODE.room(1).putInt(0, mode));
  }

  void reduction(long descriptor, int attribute, int operator) {
    set(descriptor, attribute, Kind.REDUCTION, 1, Kind.REDUCTION.room(1).putInt(0, operator));
  }

  void normMode(long descriptor, int attribute, int mode) {
    set(descriptor, attribute, Kind.NORM_MODE, 1, Kind.NORM_MODE.room(1).putInt(0, mode));
  }

  void normPhase(long descriptor, int attribute, int phase) {
    set(descriptor, attribute, Kind.NORM_PHASE, 1, Kind.NORM_PHASE.room(1).putInt(0, phase));
  }

  void int64s(long descriptor, int attribute, long... values) {
    set(descriptor, attribute, Kind.INT64, values.length, longs(Kind.INT64, values));
  }

  void addresses(long descriptor, int attribute, long... values) {
    set(descriptor, attribute, Kind.ADDRESS, values.length, longs(Kind.ADDRESS, values));
  }

  void descriptors(long descriptor, int attribute, long... values) {
    set(descriptor, attribute, Kind.DESCRIPTOR, values.length, longs(Kind.DESCRIPTOR, values));
  }

  private static ByteBuffer longs(Kind kind, long... values) {
    ByteBuffer all = kind.room(values.length);
    for (int i = 0; i < values.length; i++) {
      all.putLong(Long.BYTES * i, values[i]);
    }
    return all;
  }

  private long get(long descriptor, int attribute, Kind kind, int requested, ByteBuffer values) {
    long[] count = new long[1];
    check(
        calls.cudnnBackendGetAttribute(
            descriptor, attribute, kind.number, requested, count, values),
        "cudnnBackendGetAttribute",
        "attribute " + attribute);
    return count[0];
  }

  long int64(long descriptor, int attribute) {
    ByteBuffer value = Kind.INT64.room(1);
    get(descriptor, attribute, Kind.INT64, 1, value);
    return value.getLong(0);
  }

  /** How many descriptors an attribute holds. */
  int count(long descriptor, int attribute) {
    return Math.toIntExact(get(descriptor, attribute, Kind.DESCRIPTOR, 0, null));
  }

  /** The descriptors that an attribute holds, up to {@code most} of them. */
  long[] descriptors(long descriptor, int attribute, int type, int most) {
    long[] found = new long[most];
    for (int i = 0; i < most; i++) {
      found[i] = make(type);
    }
    ByteBuffer values = longs(Kind.DESCRIPTOR, found);
    long there = get(descriptor, attribute, Kind.DESCRIPTOR, most, values);
    return Arrays.copyOf(found, (int) Math.min(most, there));
  }

  /** Numerical notes, up to {@code most} of them; null if there are more. */
  int[] notes(long descriptor, int attribute, int most) {
    ByteBuffer values = Kind.NUMERICAL_NOTE.room(most);
    long there = get(descriptor, attribute, Kind.NUMERICAL_NOTE, most, values);
    if (there > most) {
      return null;
    }
    int[] notes = new int[(int) there];
    values.asIntBuffer().get(notes);
    return notes;
  }

  void execute(long handle, long plan, long pack, String what) {
    check(calls.cudnnBackendExecute(handle, plan, pack), "cudnnBackendExecute", what);
  }

  @Override
  public void close() {
    while (!made.isEmpty()) {
      calls.cudnnBackendDestroyDescriptor(made.pop());
    }
  }
}
