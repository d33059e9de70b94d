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
  private volatile boolean closed;

  /**
   * @param processors how many batches are computed at once
   * @param late is given requests that were dropped from their queue, without the lock
   */
  Scheduler(int processors, Computation computation, Consumer<Pending> late) {
    this.processors = processors;
    this.computation = computation;
    this.late = late;
    for (int i = 0; i < processors; i++) {
      Thread worker = new Thread(this::work, "crema-batch-" + i);
      worker.setDaemon(true);
      workers.add(worker);
    }
    workers.forEach(Thread::start);
  }

  /** Whether the caller may compute now; {@link #leave} must follow then. */
  boolean tryEnter() {
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
      if (!queue.hasRoom(pending.rows)) {
        int before = queue.waitingRequests();
        queue.drop(System.nanoTime(), dropped);
        count(queue, queue.waitingRequests() - before);
        if (queue.isEmpty()) {
          active.remove(queue);
        }
        if (!queue.hasRoom(pending.rows)) {
          throw full(queue);
        }
      }
      if (queue.isEmpty()) {
        queue.worked = Math.max(queue.worked, clock); // idling saves nothing up
        active.add(queue);
      }
      queue.add(pending);
      count(queue, 1);
      if (idle > 0) {
        changed.signal();
      }
      return queue.waitingRequests();
    } finally {
      lock.unlock();
      dropped.forEach(this::dropped);
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
            + " may",
        wait,
        null);
  }

  /** Its client wants no answer any more. */
  void cancelled(Pending pending) {
    lock.lock();
    try {
      if (!pending.queue.remove(pending)) {
        return; // being computed, or gone
      }
      count(pending.queue, -1);
      if (pending.queue.isEmpty()) {
        active.remove(pending.queue);
      }
    } finally {
      lock.unlock();
    }
    dropped(pending);
  }

  private void count(VersionQueue queue, int more) {
    waiting += more;
    clients += queue.shadow ? 0 : more;
  }

  private void work() {
    while (true) {
      List<Pending> dropped = new ArrayList<>();
      List<VersionQueue.Part> batch;
      VersionQueue queue;
      int left;
      lock.lock();
      try {
        queue = next();
        if (queue == null) {
          return;
        }
        int before = queue.waitingRequests();
        batch = queue.take(System.nanoTime(), dropped);
        left = queue.waitingRequests();
        count(queue, left - before);
        clock = Math.max(clock, queue.worked);
        if (queue.isEmpty()) {
          active.remove(queue);
        } else if (idle > 0) {
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
          changed.signalAll();
        });
    left.forEach(Pending::letGo);
    return left;
  }
}
