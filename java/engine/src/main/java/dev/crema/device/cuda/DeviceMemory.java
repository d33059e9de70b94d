package dev.crema.device.cuda;

import dev.crema.CremaException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntSupplier;

/**
 * Memory of a card. What is given back is kept for the next plan, as allocating waits for the whole
 * device; it goes back to the driver when that runs out. Nobody gives memory back that work in
 * flight uses. Thread-safe.
 */
final class DeviceMemory {
  private static final long SMALL = 1 << 16;
  private static final long BIG = 1 << 21; // the driver's pages

  /** A piece in use. */
  final class Piece {
    private final long address;
    private final long size;
    private boolean open = true;

    private Piece(long address, long size) {
      this.address = address;
      this.size = size;
    }

    long address() {
      return address;
    }

    /** Gives it back; may be called again. */
    void close() {
      giveBack(this);
    }
  }

  private final Context context;
  private final Map<Long, Deque<Long>> free = new HashMap<>(); // addresses by size
  private long used;
  private long kept;
  private boolean closed;

  DeviceMemory(Context context) {
    this.context = context;
  }

  /** Bytes in use. */
  synchronized long used() {
    return used;
  }

  /** Bytes that are kept for later. */
  synchronized long kept() {
    return kept;
  }

  /**
   * Memory with whatever stood there, aligned to 256 bytes. The context is current.
   *
   * @param name for messages
   * @throws CremaException if there is not that much
   */
  synchronized Piece allocate(long bytes, String name) {
    long size = rounded(Math.max(1, bytes));
    long address = reuse(size);
    if (address == 0) {
      address = fresh(size, name);
    }
    used += size;
    return new Piece(address, size);
  }

  /** As {@link #allocate}; null if there is not that much. */
  synchronized Piece allocateIfThere(long bytes) {
    long size = rounded(Math.max(1, bytes));
    long address = reuse(size);
    if (address == 0) {
      long[] made = new long[1];
      int status = context.calls().cuMemAlloc(made, size);
      if (status == DriverStatus.OUT_OF_MEMORY) {
        return null;
      }
      context.check(status, "cuMemAlloc");
      address = made[0];
    }
    used += size;
    return new Piece(address, size);
  }

  private static long rounded(long bytes) {
    long unit = bytes < BIG ? SMALL : BIG;
    return Math.multiplyExact((bytes + unit - 1) / unit, unit);
  }

  /** A kept piece of that size, which is what plans ask for again; 0 if there is none. */
  private long reuse(long size) {
    Deque<Long> found = free.get(size);
    if (found == null) {
      return 0;
    }
    long address = found.pop();
    if (found.isEmpty()) {
      free.remove(size);
    }
    kept -= size;
    return address;
  }

  private long fresh(long size, String name) {
    long[] address = new long[1];
    int status = withRoom(() -> context.calls().cuMemAlloc(address, size));
    if (status == DriverStatus.OUT_OF_MEMORY) {
      throw new CremaException(refusal(name + " asks for " + show(size)));
    }
    context.check(status, "cuMemAlloc");
    return address[0];
  }

  private String refusal(String asking) {
    long[] unused = new long[1];
    long[] total = new long[1];
    int status = context.calls().cuMemGetInfo(unused, total);
    String there =
        status == DriverStatus.SUCCESS
            ? show(unused[0]) + " of its " + show(total[0]) + " are free"
            : "how much is free it does not say";
    return "Out of memory on "
        + context.name()
        + ": "
        + asking
        + ", Crema uses "
        + show(used)
        + ", "
        + there
        + "."
        + DriverStatus.advice(DriverStatus.OUT_OF_MEMORY);
  }

  private synchronized void giveBack(Piece piece) {
    if (!piece.open) {
      return;
    }
    piece.open = false;
    used -= piece.size;
    if (closed || context.hasFailed()) {
      free(piece.address);
      return;
    }
    free.computeIfAbsent(piece.size, size -> new ArrayDeque<>()).push(piece.address);
    kept += piece.size;
  }

  /**
   * Makes a call of the driver that takes memory of the card. Where that runs out, once more, when
   * what is kept has been given back.
   *
   * @return its status
   */
  synchronized int withRoom(IntSupplier call) {
    int status = call.getAsInt();
    if (status == DriverStatus.OUT_OF_MEMORY && kept > 0) {
      trim();
      status = call.getAsInt();
    }
    return status;
  }

  /**
   * The check of a call that was made {@link #withRoom}.
   *
   * @param asked for what, for a message where memory ran out
   * @throws CudaException naming the call unless the status says that it worked
   */
  synchronized void check(int status, String call, String asked) {
    if (status == DriverStatus.OUT_OF_MEMORY) {
      throw new CudaException(call, status, refusal(call + " asks for " + asked));
    }
    context.check(status, call);
  }

  /** Gives what is kept back to the driver. */
  synchronized void trim() {
    free.values().forEach(addresses -> addresses.forEach(this::free));
    free.clear();
    kept = 0;
  }

  private void free(long address) {
    context.quietly(context.calls().cuMemFree(address), "cuMemFree");
  }

  synchronized void close() {
    closed = true;
    trim();
  }

  static String show(long bytes) {
    return bytes < 10_000_000
        ? String.format(Locale.ROOT, "%,d bytes", bytes)
        : String.format(Locale.ROOT, "%.2f GiB", bytes / (double) (1 << 30));
  }
}
