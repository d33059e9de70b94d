package dev.crema.device.cuda;

/** Copies from the card to the host, apart from what programs do. Thread-safe. */
final class CopyStream {
  private final Context context;
  private final long stream;

  /** The context is current. */
  CopyStream(Context context) {
    this.context = context;
    this.stream = Streams.create(context);
  }

  /** Copies and waits. */
  synchronized void toHost(long to, long from, long bytes) {
    context.enter();
    context.check(context.calls().cuMemcpyDtoHAsync(to, from, bytes, stream), "cuMemcpyDtoHAsync");
    context.check(context.calls().cuStreamSynchronize(stream), "cuStreamSynchronize");
  }

  void close() {
    Streams.destroy(context, stream);
  }
}
