package dev.crema.serving.execution;

import dev.crema.device.Device;
import dev.crema.nn.Model;
import dev.crema.nn.Predictor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.function.Consumer;

/**
 * Predictors of one model that wait for the next batch of any thread: some for single examples,
 * which take little memory and choose their kernels for one example, some for the biggest batch.
 * More sizes gain nothing: of dense layers, a plan computes few examples as fast whatever it has
 * room for. Thread-safe. Whoever made it closes it before the model.
 */
public final class Predictors implements AutoCloseable {
  private static final int MOST_WAITING = 64; // of one capacity: more never compute at once

  private final Model model;
  private final Device device;
  private final int threads;
  private final int[] capacities;
  private final int ready;
  private final ArrayBlockingQueue<Predictor>[] waiting;
  private volatile boolean closed;

  /**
   * @param threads that compute one batch; 0 for all
   * @param ready how many of each capacity {@link #prepare} makes
   */
  public Predictors(Model model, Device device, int threads, int maximumBatch, int ready) {
    this.model = Objects.requireNonNull(model, "model");
    this.device = Objects.requireNonNull(device, "device");
    this.threads = threads;
    this.capacities = maximumBatch == 1 ? new int[] {1} : new int[] {1, maximumBatch};
    this.ready = ready;
    this.waiting = pools(capacities.length, Math.max(ready, MOST_WAITING));
  }

  @SuppressWarnings({"unchecked", "rawtypes"}) // arrays have no type parameters
  private static ArrayBlockingQueue<Predictor>[] pools(int count, int kept) {
    ArrayBlockingQueue<Predictor>[] pools = new ArrayBlockingQueue[count];
    for (int i = 0; i < count; i++) {
      pools[i] = new ArrayBlockingQueue<>(kept);
    }
    return pools;
  }

  /** Most examples of a batch. */
  public int maximumBatch() {
    return capacities[capacities.length - 1];
  }

  /** For how many examples there are plans, rising. */
  public int[] capacities() {
    return capacities.clone();
  }

  /**
   * A predictor for that many examples which nobody else has, until {@link #giveBack}.
   *
   * @throws dev.crema.CremaException if there is no memory for one more
   * @throws IllegalStateException if the model is closed
   */
  public Predictor borrow(int rows) {
    int i = index(rows);
    Predictor predictor = waiting[i].poll();
    return predictor != null ? predictor : model.predictor(capacities[i], threads, device);
  }

  private int index(int rows) {
    int i = 0;
    while (capacities[i] < rows) {
      i++;
      if (i == capacities.length) {
        throw new IllegalArgumentException(
            "A batch has at most " + maximumBatch() + " examples, got " + rows);
      }
    }
    return i;
  }

  public void giveBack(Predictor predictor) {
    ArrayBlockingQueue<Predictor> pool = waiting[index(predictor.capacity())];
    if (closed || !pool.offer(predictor)) {
      predictor.close();
    } else if (closed) {
      drain(); // closed between the two looks: whoever sees it empties the pool
    }
  }

  /** Makes predictors ahead of requests and gives each to an action once. */
  public void prepare(Consumer<Predictor> action) {
    for (int capacity : capacities) {
      List<Predictor> all = new ArrayList<>();
      try {
        for (int i = 0; i < ready; i++) {
          Predictor predictor = model.predictor(capacity, threads, device);
          all.add(predictor);
          action.accept(predictor);
        }
      } finally {
        all.forEach(this::giveBack);
      }
    }
  }

  /** Closes those that wait; the others when they are given back. */
  @Override
  public void close() {
    closed = true;
    drain();
  }

  private void drain() {
    for (ArrayBlockingQueue<Predictor> pool : waiting) {
      for (Predictor p = pool.poll(); p != null; p = pool.poll()) {
        p.close();
      }
    }
  }
}
