package dev.crema.data;

import dev.crema.CremaException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/**
 * Reads ahead of the training step: one daemon thread fills a ring of batches that were allocated
 * once. One consumer thread at a time. Nothing is allocated for a batch.
 *
 * <pre>{@code
 * try (var batches = new Prefetcher(data, 256, 3, Buffer::direct)) {
 *   for (int epoch = 0; epoch < epochs; epoch++) {
 *     batches.start(Order.shuffled(seed + epoch));
 *     for (var batch = batches.next(); batch != null; batch = batches.next()) {
 *       step(batch.buffers(), batch.rows());
 *       batches.recycle(batch);
 *     }
 *   }
 * }
 * }</pre>
 */
public final class Prefetcher implements AutoCloseable {
  private static final long JOIN_MILLIS = 10_000;

  /** Turns of spinning before a thread parks: about the time that a wake-up costs. */
  private static final int SPINS = 200;

  /** Some rows of every slot. Belongs to the consumer between next and recycle. */
  public static final class Batch {
    private final List<ByteBuffer> buffers;
    private int rows;

    private Batch(List<ByteBuffer> buffers) {
      this.buffers = List.copyOf(buffers);
    }

    /** Examples in this batch; rows of the buffers beyond it hold leftovers. */
    public int rows() {
      return rows;
    }

    /** One buffer for each input, then one for each target. */
    public List<ByteBuffer> buffers() {
      return buffers;
    }
  }

  private final Dataset dataset;
  private final int batchSize;
  private final Batch[] ring;
  private final Consumer<Batch> onFilled;
  private final Thread producer;

  // Batch number i lives in ring[i % depth]. taken ≤ filled ≤ recycled + depth.
  private volatile long filled;
  private volatile long recycled;
  private volatile boolean epochRead;
  private volatile Dataset.Reader reader;
  private volatile Throwable failure;
  private volatile boolean closed;
  private volatile boolean producerParked;
  private volatile Thread consumer;
  private long taken;
  private boolean epochOpen;

  /**
   * @param batchSize rows of a batch; the last one of an epoch may have fewer
   * @param depth batches in the ring, at least 2; 2 to 4 are enough unless steps are very short
   * @param allocator gives a direct buffer of at least that many bytes; its memory stays the
   *     caller's, who may free it after {@link #close}
   */
  public Prefetcher(Dataset dataset, int batchSize, int depth, IntFunction<ByteBuffer> allocator) {
    this(dataset, batchSize, depth, allocator, batch -> {});
  }

  /**
   * As {@link #Prefetcher(Dataset, int, int, IntFunction)}.
   *
   * @param onFilled called on the reading thread with each batch that is ready, before {@link
   *     #next} gives it; what it throws ends the epoch as what the reader throws does
   */
  public Prefetcher(
      Dataset dataset,
      int batchSize,
      int depth,
      IntFunction<ByteBuffer> allocator,
      Consumer<Batch> onFilled) {
    if (batchSize < 1 || depth < 2) {
      throw new IllegalArgumentException(
          "A prefetcher has batches of at least 1 row and a ring of at least 2, got "
              + batchSize
              + " and "
              + depth);
    }
    this.dataset = dataset;
    this.onFilled = onFilled;
    this.batchSize = batchSize;
    this.ring = new Batch[depth];
    List<Dataset.Slot> slots = new ArrayList<>(dataset.inputs());
    slots.addAll(dataset.targets());
    for (int i = 0; i < depth; i++) {
      List<ByteBuffer> buffers = new ArrayList<>();
      for (Dataset.Slot slot : slots) {
        buffers.add(allocator.apply(bytes(slot, batchSize)).order(ByteOrder.nativeOrder()));
      }
      Buffers.check(dataset, buffers, batchSize);
      ring[i] = new Batch(buffers);
    }
    this.producer = new Thread(this::produce, "crema-prefetch");
    this.producer.setDaemon(true);
    this.producer.start();
  }

  /** A prefetcher with direct buffers of its own, which the garbage collector frees. */
  public Prefetcher(Dataset dataset, int batchSize, int depth) {
    this(dataset, batchSize, depth, Buffers::direct);
  }

  /**
   * Begins an epoch. The one before must have come to its end.
   *
   * @throws IllegalStateException if it hasn't, or if a batch wasn't recycled
   */
  public void start(Order order) {
    requireOpen();
    if (epochOpen) {
      throw new IllegalStateException("The epoch is not at its end: call next() until it is null");
    }
    if (recycled != taken) {
      throw new IllegalStateException((taken - recycled) + " batches were not recycled");
    }
    epochOpen = true;
    epochRead = false;
    reader = dataset.reader(order);
    LockSupport.unpark(producer);
  }

  /**
   * The next batch, waiting for it if need be; null at the end of the epoch. Recycle it before
   * taking more than the ring holds.
   *
   * @throws IllegalStateException if this is closed, also by another thread while it waits
   * @throws RuntimeException what the dataset's reader threw; the epoch is then over
   */
  public Batch next() {
    requireOpen();
    if (!epochOpen) {
      throw new IllegalStateException("No epoch: call start(order) first");
    }
    if (taken - recycled == ring.length) {
      throw new IllegalStateException("All " + ring.length + " batches are taken: recycle one");
    }
    if (filled == taken && !epochRead) {
      await();
      requireOpen();
    }
    if (filled > taken) {
      return ring[(int) (taken++ % ring.length)];
    }
    epochOpen = false;
    Throwable thrown = failure;
    failure = null;
    if (thrown instanceof RuntimeException e) {
      throw e;
    }
    if (thrown instanceof Error e) {
      throw e;
    }
    return null;
  }

  /** Gives the oldest batch that was taken back to the ring. */
  public void recycle(Batch batch) {
    if (recycled == taken || ring[(int) (recycled % ring.length)] != batch) {
      throw new IllegalStateException("Batches go back once, in the order they were taken");
    }
    long now = recycled + 1;
    recycled = now;
    // A wake-up costs more than a short step: let the producer sleep until half the ring is free.
    if (producerParked && filled - now <= ring.length / 2) {
      LockSupport.unpark(producer);
    }
  }

  /** Stops reading, waits for the thread to end, closes its reader. Further calls do nothing. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    LockSupport.unpark(consumer); // it waits in next, if another thread closes this
    producer.interrupt();
    boolean interrupted = false;
    long end = System.nanoTime() + JOIN_MILLIS * 1_000_000;
    while (producer.isAlive() && System.nanoTime() < end) {
      try {
        producer.join(JOIN_MILLIS);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (producer.isAlive()) {
      throw new IllegalStateException(
          "The dataset's reader did not return within 10 s; its buffers must not be freed");
    }
  }

  private static int bytes(Dataset.Slot slot, int batchSize) {
    long bytes = (long) slot.rowBytes() * batchSize;
    if (bytes > Integer.MAX_VALUE) {
      throw new CremaException(
          "A batch of "
              + batchSize
              + " rows of "
              + slot.name()
              + " "
              + slot.shape()
              + " has "
              + bytes
              + " bytes; at most 2^31-1 are possible. Use a smaller batch size.");
    }
    return (int) bytes;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("This prefetcher is closed");
    }
  }

  private void await() {
    // The producer may sleep although there is room for one: see recycle.
    LockSupport.unpark(producer);
    for (int i = 0; i < SPINS && filled == taken && !epochRead; i++) {
      Thread.onSpinWait();
    }
    consumer = Thread.currentThread();
    while (filled == taken && !epochRead && !closed) {
      LockSupport.park(this);
      if (Thread.currentThread().isInterrupted() && filled == taken && !epochRead) {
        consumer = null;
        throw new IllegalStateException("Interrupted while waiting for a batch");
      }
    }
    consumer = null;
  }

  private void produce() {
    while (!closed) {
      Dataset.Reader current = reader;
      if (current == null) {
        LockSupport.park(this);
        continue;
      }
      try (current) {
        readEpoch(current);
      } catch (Throwable e) {
        failure = e;
      }
      reader = null;
      epochRead = true;
      LockSupport.unpark(consumer);
    }
    Dataset.Reader unread = reader;
    if (unread != null) {
      unread.close();
    }
  }

  private void readEpoch(Dataset.Reader current) {
    while (awaitRoom()) {
      Batch batch = ring[(int) (filled % ring.length)];
      batch.rows = current.read(batch.buffers, batchSize);
      if (batch.rows == 0) {
        return;
      }
      onFilled.accept(batch);
      filled = filled + 1;
      LockSupport.unpark(consumer);
    }
  }

  /** Waits for a free batch; false if the prefetcher was closed. */
  private boolean awaitRoom() {
    for (int i = 0; i < SPINS && filled - recycled == ring.length && !closed; i++) {
      Thread.onSpinWait();
    }
    while (filled - recycled == ring.length && !closed) {
      producerParked = true;
      if (filled - recycled == ring.length && !closed) {
        LockSupport.park(this);
      }
      producerParked = false;
    }
    return !closed;
  }
}
