package dev.crema.serving.batching;

import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.ServingException.Code;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Shares the processors among models: a few workers compute the batches of all of them, and next
 * comes always the model that has used the processors least. Copies for shadow versions come after
 * all else. Callers compute themselves while nothing waits and a processor is free.
 */
final class Scheduler {
  /** Computes a batch; throws nothing. */
  interface Computation {
    void compute(VersionQueue queue, List<VersionQueue.Part> batch);

    /** So many requests wait now. */
    void left(VersionQueue queue, int requests);
  }

  /** The inputs that wait leave most of the heap to others. */
  private static final long MOST_BYTES = Runtime.getRuntime().maxMemory() / 4;

  private final int processors;
  private final Computation computation;
  private final Consumer<Pending> late;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final List<VersionQueue> active = new ArrayList<>(); // in which something waits
  private final List<Thread> workers = new ArrayList<>();
  private final AtomicInteger busy = new AtomicInteger(); // computing, callers too
  private volatile int clients; // requests that wait, without copies for shadows
  private volatile int waiting; // with them
  private int idle; // workers
  private long clock; // the virtual time of the queue that was served last
  private long bytes; // of the inputs of clients that wait
  private volatile boolean closed;

  /** One of the threads that compute. */
  private static final class Worker extends Thread {
    Worker(Runnable work, String name) {
      super(work, name);
      setDaemon(true);
    }
  }

  /**
   * @param processors how many batches are computed at once
   * @param late is given requests that were dropped from their queue, without the lock
   */
  Scheduler(int processors, Computation computation, Consumer<Pending> late) {
    this.processors = processors;
    this.computation = computation;
    this.late = late;
    for (int i = 0; i < processors; i++) {
      workers.add(new Worker(this::work, "crema-batch-" + i));
    }
    workers.forEach(Thread::start);
  }

  /**
   * Whether the caller may compute now; {@link #leave} must follow then. A worker always may: what
   * follows an answer runs on it, and were it to wait for a worker, that might be itself.
   */
  boolean tryEnter() {
    if (Thread.currentThread() instanceof Worker) {
      busy.incrementAndGet();
      return true;
    }
    return clients == 0 && enter();
  }

  private boolean enter() {
    while (true) {
      int now = busy.get();
      if (now >= processors) {
        return false;
      }
      if (busy.compareAndSet(now, now + 1)) {
        return true;
      }
    }
  }

  void leave() {
    busy.decrementAndGet();
    if (waiting > 0) {
      lock.lock();
      try {
        changed.signal();
      } finally {
        lock.unlock();
      }
    }
  }

  /**
   * Puts a request into its queue.
   *
   * @return how many wait there now
   * @throws ServingException if that is full or this is closed
   */
  int add(Pending pending) {
    VersionQueue queue = pending.queue;
    List<Pending> dropped = new ArrayList<>(0);
    lock.lock();
    try {
      if (closed) {
        throw closed();
      }
      if (!hasRoom(pending)) {
        change(queue, () -> queue.drop(System.nanoTime(), dropped));
        if (!hasRoom(pending)) {
          throw full(queue);
        }
      }
      change(queue, () -> queue.add(pending));
      if (idle > 0) {
        changed.signal();
      }
      return queue.waitingRequests();
    } finally {
      lock.unlock();
      dropped.forEach(this::dropped);
    }
  }

  private boolean hasRoom(Pending pending) {
    boolean fits = pending.shadow || bytes == 0 || bytes + pending.bytes() <= MOST_BYTES;
    return fits && pending.queue.hasRoom(pending.rows);
  }

  /**
   * Changes a queue and what is kept of all of them. Sums are written once, as they are read
   * without the lock.
   */
  private void change(VersionQueue queue, Runnable change) {
    int requests = queue.waitingRequests();
    long size = queue.waitingBytes();
    change.run();
    int more = queue.waitingRequests() - requests;
    waiting += more;
    clients += queue.shadow ? 0 : more;
    bytes += queue.shadow ? 0 : queue.waitingBytes() - size;
    if (queue.isEmpty()) {
      active.remove(queue);
    } else if (requests == 0) {
      queue.worked = Math.max(queue.worked, clock); // idling saves nothing up
      active.add(queue);
    }
  }

  private void dropped(Pending pending) {
    pending.letGo();
    late.accept(pending);
  }

  static ServingException closed() {
    return new ServingException(Code.UNAVAILABLE, "The server is shutting down");
  }

  private ServingException full(VersionQueue queue) {
    long nanos = queue.nanos(queue.most());
    long batches = queue.waitingRows() / queue.most() + 1L;
    Duration wait = Duration.ofNanos(Math.max(1_000_000, batches * nanos / processors));
    return new ServingException(
        Code.RESOURCE_EXHAUSTED,
        "The queue of "
            + queue.version
            + " is full: "
            + queue.waitingRows()
            + " examples wait, "
            + queue.settings.queueCapacity()
            + " may; of all models inputs of "
            + (bytes >> 20)
            + " MB, "
            + (MOST_BYTES >> 20)
            + " may",
        wait,
        null);
  }

  /** Its client wants no answer any more. */
  void cancelled(Pending pending) {
    lock.lock();
    try {
      int before = pending.queue.waitingRequests();
      change(pending.queue, () -> pending.queue.remove(pending));
      if (pending.queue.waitingRequests() == before) {
        return; // being computed, or gone
      }
    } finally {
      lock.unlock();
    }
    dropped(pending);
  }

  private void work() {
    while (true) {
      List<Pending> dropped = new ArrayList<>(0);
      List<VersionQueue.Part> batch = new ArrayList<>();
      VersionQueue queue;
      int left;
      lock.lock();
      try {
        queue = next();
        if (queue == null) {
          return;
        }
        VersionQueue chosen = queue;
        change(queue, () -> chosen.take(System.nanoTime(), batch, dropped));
        clock = Math.max(clock, queue.worked);
        left = queue.waitingRequests();
        if (left > 0 && idle > 0) {
          changed.signal();
        }
      } finally {
        lock.unlock();
      }
      dropped.forEach(this::dropped);
      computation.left(queue, left);
      compute(queue, batch);
    }
  }

  private void compute(VersionQueue queue, List<VersionQueue.Part> batch) {
    long start = System.nanoTime();
    try {
      if (!batch.isEmpty()) {
        computation.compute(queue, batch);
      }
    } finally {
      long end = System.nanoTime();
      busy.decrementAndGet();
      lock.lock();
      try {
        if (!batch.isEmpty()) {
          queue.done(batch.size(), end - start, end);
        }
      } finally {
        lock.unlock();
      }
    }
  }

  /** Waits for a batch and a processor, which it takes; null once closed and empty. */
  private VersionQueue next() {
    while (true) {
      long now = System.nanoTime();
      VersionQueue best = null;
      long earliest = Long.MAX_VALUE;
      for (VersionQueue queue : active) {
        long wait = closed ? 0 : queue.readyAt(now) - now;
        if (wait > 0) {
          earliest = Math.min(earliest, wait);
        } else if (best == null || isBefore(queue, best)) {
          best = queue;
        }
      }
      if (best != null && enter()) {
        return best;
      }
      if (closed && active.isEmpty()) {
        changed.signalAll();
        return null;
      }
      idle++;
      try {
        if (best == null && earliest < Long.MAX_VALUE) {
          changed.awaitNanos(earliest);
        } else {
          changed.await();
        }
      } catch (InterruptedException e) {
        continue; // nobody has reason to; the end is said by closed
      } finally {
        idle--;
      }
    }
  }

  private static boolean isBefore(VersionQueue a, VersionQueue b) {
    return a.shadow != b.shadow ? b.shadow : a.worked < b.worked;
  }

  /** Runs an action while no queue changes. */
  void locked(Runnable action) {
    lock.lock();
    try {
      action.run();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes nothing more, and waits until all that waited is computed.
   *
   * @return what still waited after that time
   */
  List<Pending> close(Duration most) {
    closed = true;
    locked(changed::signalAll);
    long end = System.nanoTime() + most.toNanos();
    boolean interrupted = false;
    for (Thread worker : workers) {
      if (worker == Thread.currentThread()) {
        continue; // closed by what follows an answer
      }
      try {
        TimeUnit.NANOSECONDS.timedJoin(worker, Math.max(1, end - System.nanoTime()));
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    List<Pending> left = new ArrayList<>();
    locked(
        () -> {
          active.forEach(queue -> left.addAll(queue.removeAll()));
          active.clear();
          waiting = 0;
          clients = 0;
          bytes = 0;
          changed.signalAll();
        });
    left.forEach(Pending::letGo);
    return left;
  }
}
