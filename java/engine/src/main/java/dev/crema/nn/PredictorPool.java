package dev.crema.nn;

import dev.crema.device.Device;
import java.util.concurrent.ArrayBlockingQueue;

/** Predictors of one kind that wait for the next prediction of any thread. Thread-safe. */
final class PredictorPool {
  private final Model model;
  private final int capacity;
  private final int threads;
  private final ArrayBlockingQueue<Predictor> waiting;
  private volatile boolean closed;

  /**
   * @param threads that each predictor uses; 0 for all
   * @param most that wait
   */
  PredictorPool(Model model, int capacity, int threads, int most) {
    this.model = model;
    this.capacity = capacity;
    this.threads = threads;
    this.waiting = new ArrayBlockingQueue<>(most);
  }

  /** One that nobody else has, until {@link #giveBack}. */
  Predictor borrow() {
    for (Predictor p = waiting.poll(); p != null; p = waiting.poll()) {
      if (isCurrent(p)) {
        return p;
      }
      p.close();
    }
    return model.predictor(capacity, threads, Device.best());
  }

  private static boolean isCurrent(Predictor p) {
    try {
      return !p.isOutdated();
    } catch (RuntimeException | Error e) {
      p.close(); // the model has been closed meanwhile: nobody else has it
      throw e;
    }
  }

  void giveBack(Predictor predictor) {
    if (closed || !waiting.offer(predictor)) {
      predictor.close();
    } else if (closed) {
      drain(); // closed between the two looks: whoever sees it empties the pool
    }
  }

  void close() {
    closed = true;
    drain();
  }

  private void drain() {
    for (Predictor p = waiting.poll(); p != null; p = waiting.poll()) {
      p.close();
    }
  }
}
