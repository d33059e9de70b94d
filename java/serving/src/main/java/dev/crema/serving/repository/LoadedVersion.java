package dev.crema.serving.repository;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.data.Preprocessing;
import dev.crema.data.TablePreprocessing;
import dev.crema.nn.Model;
import dev.crema.serving.execution.BatchSettings;
import dev.crema.serving.execution.Predictors;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.inference.TensorValue;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A version in memory, with those who use it counted: it goes when it serves no longer and the last
 * of them has left. Thread-safe.
 */
public final class LoadedVersion {
  private final String name;
  private final long version;
  private final Model model;
  private final Signature signature;
  private final ObjectNode metadata;
  private final BatchSettings batching;
  private final Predictors predictors;
  private final RowInput rows; // null: takes tensors only
  private final long bytes;
  private final AtomicInteger leases = new AtomicInteger(1); // the repository's own
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile Duration loadTime = Duration.ZERO;

  /** Owns the model and the predictors. */
  LoadedVersion(
      String name,
      long version,
      Model model,
      Signature signature,
      Optional<Preprocessing> preprocessing,
      BatchSettings batching,
      Predictors predictors) {
    this.name = name;
    this.version = version;
    this.model = model;
    this.signature = signature;
    this.metadata = model.metadata().deepCopy();
    this.batching = batching;
    this.predictors = predictors;
    this.rows =
        signature.columns().isEmpty()
            ? null
            : new RowInput(
                (TablePreprocessing) preprocessing.orElseThrow(),
                signature.inputs().get(0),
                signature.outputs().get(0));
    this.bytes = model.parameters().byteSize() + model.state().byteSize();
  }

  public String name() {
    return name;
  }

  public long version() {
    return version;
  }

  public Signature signature() {
    return signature;
  }

  public BatchSettings batching() {
    return batching;
  }

  /** To be used under a lease, and not to be closed. */
  public Predictors predictors() {
    return predictors;
  }

  /** Off-heap memory of its parameters and states. */
  public long bytes() {
    return bytes;
  }

  ObjectNode metadata() {
    return metadata;
  }

  Duration loadTime() {
    return loadTime;
  }

  void loaded(Duration time) {
    loadTime = time;
  }

  /**
   * The model's only input, of rows of the table that it learnt from.
   *
   * @throws ServingException if it takes no rows, or naming the row and the column that is wrong
   */
  public TensorValue encode(List<Map<String, String>> table) {
    if (rows == null) {
      throw ServingException.invalidArgument(
          "Model " + this + " takes tensors " + signature.inputs() + ", no rows of a table");
    }
    return rows.encode(table);
  }

  /**
   * Brings what a regression answers to rows of a table back to the table's units, in place.
   *
   * @param output elements of the first output
   */
  public void restore(byte[] output) {
    if (rows != null) {
      rows.restore(output);
    }
  }

  /** Adds a lease, to be ended by {@link #release}; false if it is closed. */
  public boolean retain() {
    while (true) {
      int now = leases.get();
      if (now == 0) {
        return false;
      }
      if (leases.compareAndSet(now, now + 1)) {
        return true;
      }
    }
  }

  /** Ends a lease; the last one closes it. */
  public void release() {
    int left = leases.decrementAndGet();
    if (left < 0) {
      throw new IllegalStateException("A lease of " + this + " ended twice");
    }
    if (left == 0) {
      try {
        predictors.close();
        model.close();
      } finally {
        closed.countDown();
      }
    }
  }

  /** Leases now, without the repository's own: requests that it is answering. */
  public int inUse() {
    return Math.max(0, leases.get() - 1);
  }

  public boolean isClosed() {
    return closed.getCount() == 0;
  }

  /** Waits until its last lease has ended; false if that took longer. */
  boolean awaitClosed(Duration most) throws InterruptedException {
    return closed.await(most.toNanos(), TimeUnit.NANOSECONDS);
  }

  @Override
  public String toString() {
    return name + " version " + version;
  }
}
