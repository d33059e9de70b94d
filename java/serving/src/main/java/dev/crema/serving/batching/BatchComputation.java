package dev.crema.serving.batching;

import dev.crema.device.KernelException;
import dev.crema.nn.Predictor;
import dev.crema.serving.execution.Predictors;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.ServingException.Code;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Puts batches together, has predictors compute them, hands out the answers. Thread-safe. */
final class BatchComputation {
  private static final Logger LOG = LoggerFactory.getLogger(BatchComputation.class);

  private final Telling telling;

  BatchComputation(Telling telling) {
    this.telling = telling;
  }

  /** Computes parts of requests together; every one of them is answered or refused. */
  void compute(VersionQueue queue, List<VersionQueue.Part> parts) {
    try {
      together(queue, parts);
    } catch (KernelException e) {
      if (parts.size() == 1) {
        parts.get(0).pending().fail(invalid(e));
      } else { // whose values are wrong, shows when each is computed by itself
        parts.forEach(part -> compute(queue, List.of(part)));
      }
    } catch (RuntimeException | Error e) {
      ServingException why = internal(queue, e);
      parts.forEach(part -> part.pending().fail(why));
    }
  }

  /** What a batch's parts hold is let go when it has been computed. */
  static void letGo(List<VersionQueue.Part> parts) {
    parts.forEach(part -> part.pending().letGo());
  }

  static ServingException invalid(KernelException e) {
    return new ServingException(Code.INVALID_ARGUMENT, e.getMessage(), null, e);
  }

  static ServingException internal(VersionQueue queue, Throwable e) {
    LOG.warn("{} failed to compute a batch", queue.version, e);
    return new ServingException(
        Code.INTERNAL, "Model " + queue.version + " failed: " + e.getMessage(), null, e);
  }

  private void together(VersionQueue queue, List<VersionQueue.Part> parts) {
    long start = System.nanoTime();
    int rows = 0;
    for (VersionQueue.Part part : parts) {
      rows += part.rows();
    }
    List<Runnable> answers = new ArrayList<>(parts.size());
    Predictors predictors = queue.version.predictors();
    Predictor predictor = predictors.borrow(rows);
    try {
      write(queue.ports, predictor, parts);
      long assembled = System.nanoTime();
      predictor.run(rows);
      long computed = System.nanoTime();
      queue.measured(rows, computed - assembled);
      telling.computed(queue, parts.size(), rows, computed - assembled);
      int row = 0;
      for (VersionQueue.Part part : parts) {
        read(part, predictor, row);
        long waited = start - part.pending().arrived;
        int batch = rows;
        answers.add(
            () ->
                part.pending()
                    .computed(part.rows(), waited, assembled - start, computed - assembled, batch));
        row += part.rows();
      }
    } finally {
      predictors.giveBack(predictor);
    }
    answers.forEach(Runnable::run); // what clients do then takes as long as they like
  }

  private static void write(Ports ports, Predictor predictor, List<VersionQueue.Part> parts) {
    int row = 0;
    for (VersionQueue.Part part : parts) {
      for (int i = 0; i < ports.inputs(); i++) {
        int example = ports.inputBytes(i);
        ByteBuffer data = part.pending().inputs[i];
        ByteBuffer stretch = data.slice(part.from() * example, part.rows() * example);
        predictor.write(ports.inputName(i), row, stretch);
      }
      row += part.rows();
    }
  }

  private static void read(VersionQueue.Part part, Predictor predictor, int row) {
    Pending pending = part.pending();
    byte[][] room = pending.outputs();
    for (int i = 0; i < room.length; i++) {
      int example = pending.queue.ports.outputBytes(pending.wanted[i]);
      ByteBuffer into = ByteBuffer.wrap(room[i], part.from() * example, part.rows() * example);
      predictor.read(pending.wanted[i], row, into);
    }
  }

  /**
   * Computes a whole request at once on this thread.
   *
   * @throws ServingException if its values are wrong or the model fails
   */
  InferenceResponse alone(
      VersionQueue queue,
      InferenceRequest request,
      ByteBuffer[] inputs,
      int[] wanted,
      int rows,
      boolean byRows,
      long arrived) {
    Ports ports = queue.ports;
    byte[][] room = ports.room(wanted, rows);
    Predictors predictors = queue.version.predictors();
    long start = System.nanoTime();
    long assembled;
    long computed;
    try {
      Predictor predictor = predictors.borrow(rows);
      try {
        for (int i = 0; i < inputs.length; i++) {
          predictor.write(ports.inputName(i), 0, inputs[i]);
        }
        assembled = System.nanoTime();
        predictor.run(rows);
        computed = System.nanoTime();
        for (int i = 0; i < room.length; i++) {
          predictor.read(wanted[i], 0, ByteBuffer.wrap(room[i]));
        }
      } finally {
        predictors.giveBack(predictor);
      }
    } catch (KernelException e) {
      throw invalid(e);
    } catch (RuntimeException | Error e) {
      throw internal(queue, e);
    }
    queue.measured(rows, computed - assembled);
    telling.computed(queue, 1, rows, computed - assembled);
    if (byRows) {
      Ports.restore(queue.version, wanted, room);
    }
    return new InferenceResponse(
        request.id(),
        queue.version.name(),
        queue.version.version(),
        ports.outputs(wanted, room, rows),
        new InferenceResponse.Timings(
            start - arrived, assembled - start, computed - assembled, rows));
  }
}
