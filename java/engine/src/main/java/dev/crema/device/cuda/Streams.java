package dev.crema.device.cuda;

/** Streams that do not wait for the default stream of other libraries. */
final class Streams {
  private static final int NON_BLOCKING = 1;

  private Streams() {}

  static long create(Context context) {
    long[] stream = new long[1];
    context.check(context.calls().cuStreamCreate(stream, NON_BLOCKING), "cuStreamCreate");
    return stream[0];
  }

  static void destroy(Context context, long stream) {
    context.quietly(context.calls().cuStreamDestroy(stream), "cuStreamDestroy");
  }
}
