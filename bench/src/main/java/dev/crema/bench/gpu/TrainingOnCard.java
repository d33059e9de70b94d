package dev.crema.bench.gpu;

import dev.crema.device.Device;
import dev.crema.graph.Precision;
import dev.crema.nn.Model;
import dev.crema.train.BatchTrainer;
import dev.crema.train.Losses;
import dev.crema.train.Optimizer;
import dev.crema.train.Trainer;
import dev.crema.train.TrainingBatch;
import java.util.List;

/**
 * Adam (0.001) on the mean cross-entropy of one batch, always the same, which is copied from the
 * host for each step while the step before it runs; a step gives its loss.
 */
final class TrainingOnCard implements CardTask {
  private static final double LEARNING_RATE = 0.001;

  private final Model model;
  private final BatchTrainer trainer;
  private final int rows;
  private TrainingBatch now;
  private TrainingBatch next;

  TrainingOnCard(Device device, Precision precision, TrainingData data) {
    this.model = data.model().get();
    this.rows = data.rows();
    try {
      this.trainer =
          Trainer.of(model)
              .loss(Losses.sparseCategoricalCrossentropy())
              .optimizer(Optimizer.adam(LEARNING_RATE))
              .precision(precision)
              .device(device)
              .batches(rows);
    } catch (RuntimeException | Error e) {
      model.close();
      throw e;
    }
    float[] x = data.examples(model);
    int[] y = data.targets();
    this.now = trainer.newBatch().fill(x, y, rows);
    this.next = trainer.newBatch().fill(x, y, rows);
    now.send(rows);
  }

  @Override
  public void run() {
    step();
  }

  private float step() {
    next.send(rows);
    float loss = trainer.run(now, rows);
    TrainingBatch done = now;
    now = next;
    next = done;
    return loss;
  }

  @Override
  public double[] losses(int steps) {
    double[] losses = new double[steps];
    for (int i = 0; i < steps; i++) {
      losses[i] = step();
    }
    return losses;
  }

  @Override
  public List<String> ways() {
    return trainer.ways();
  }

  @Override
  public void close() {
    trainer.close();
    model.close();
  }
}
