package dev.crema.train;

import dev.crema.CremaException;
import dev.crema.memory.Exclusive;
import dev.crema.nn.Topology;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Trains a model by batches that the caller brings, for whoever wants the loop in their own hands
 * (Keras: {@code train_on_batch}). A step is one call into native code and allocates nothing on the
 * heap.
 *
 * <pre>{@code
 * try (BatchTrainer trainer =
 *     Trainer.of(model).loss(Losses.sparseCategoricalCrossentropy()).batches(32)) {
 *   while (more()) {
 *     float loss = trainer.step(examples, classes, 32);
 *   }
 * }
 * }</pre>
 *
 * <p>The optimiser's moments live as long as this object. One thread at a time; the model may
 * predict on other threads meanwhile. The caller closes it, and the model after it.
 */
public final class BatchTrainer implements AutoCloseable {
  private final TrainingStep step;
  private final int capacity;
  private final int inputs;
  private final List<String> outputs;
  private final Topology topology;
  private final List<TrainingBatch> batches = new ArrayList<>();
  private final TrainingBatch usual; // what input and target show
  private TrainingBatch bound; // what the step reads
  private final Exclusive use = new Exclusive("This trainer", this::release);
  private double learningRate;

  BatchTrainer(Trainer trainer, int capacity) {
    List<Head> heads = trainer.outputs.usualHeads();
    this.capacity = capacity;
    this.learningRate = trainer.optimizer.learningRate();
    this.inputs = trainer.model.topology().inputs().size();
    this.outputs = trainer.outputs.trained();
    this.step = new TrainingStep(trainer, capacity, heads);
    this.topology = trainer.model.topology();
    try {
      this.usual = make();
    } catch (RuntimeException | Error e) {
      step.close();
      throw e;
    }
  }

  private TrainingBatch make() {
    List<BatchSlot> slots = new ArrayList<>();
    try {
      for (Topology.InputSpec input : topology.inputs()) {
        slots.add(new BatchSlot(input.name(), input.type(), capacity, step.device()));
      }
      for (HeadResult output : step.outputs()) {
        String name = outputs.size() == 1 ? Objective.TARGET : output.head().output();
        slots.add(new BatchSlot(name, output.target(), capacity, step.device()));
      }
    } catch (RuntimeException | Error e) {
      slots.forEach(BatchSlot::close);
      throw e;
    }
    TrainingBatch made = new TrainingBatch(this, capacity, inputs, outputs, slots);
    batches.add(made);
    return made;
  }

  /**
   * Memory for one more batch, so that it can be written while another trains. It is closed with
   * this trainer.
   *
   * @throws IllegalStateException if this is closed or another thread uses it
   */
  public TrainingBatch newBatch() {
    use.enter();
    try {
      return make();
    } finally {
      use.leave();
    }
  }

  /** The most examples of a step. */
  public int capacity() {
    return capacity;
  }

  /**
   * Memory that {@link #run} reads the {@code index}-th input from, native byte order, row-major,
   * room for {@link #capacity} examples. Valid for as long as it can be reached.
   */
  public ByteBuffer input(int index) {
    return usual.input(index);
  }

  /**
   * As {@link #input}: class numbers (int32) or floats, as the loss has them.
   *
   * @throws CremaException if several outputs are trained
   */
  public ByteBuffer target() {
    return usual.target();
  }

  /** As {@link #target()}, of one output of several. */
  public ByteBuffer target(String output) {
    return usual.target(output);
  }

  /** The mean loss of one output of several in the last step, without its weight. */
  public float loss(String output) {
    int index = indexOf(output);
    use.enter();
    try {
      return step.outputs().get(index).loss();
    } finally {
      use.leave();
    }
  }

  /**
   * What the loss is multiplied by before gradients are computed; 1 where it is not scaled. On a
   * card it is copied back: ask now and then, not at each step.
   */
  public double lossScale() {
    use.enter();
    try {
      return step.scaled() == null ? 1 : step.scaled().scale();
    } finally {
      use.leave();
    }
  }

  void requireOpen() {
    use.requireOpen();
  }

  int indexOf(String output) {
    int index = outputs.indexOf(output);
    if (index < 0) {
      throw new CremaException("No output '" + output + "' is trained here; there are " + outputs);
    }
    return index;
  }

  /**
   * From the next step on; until then the optimiser's.
   *
   * @param rate finite, at least 0
   */
  public void learningRate(double rate) {
    if (!(rate >= 0) || Double.isInfinite(rate)) {
      throw new IllegalArgumentException(
          "The learning rate must be a finite number of at least 0, got " + rate);
    }
    learningRate = rate;
  }

  /**
   * A step with what stands in {@link #input} and {@link #target()}. Where the trainer was told to
   * {@link Trainer#accumulate}, the parameters change at every so many steps, by the mean of their
   * gradients.
   *
   * @param rows examples that count, 1 to {@link #capacity}
   * @return their mean loss before the update; of several outputs the weighted sum of theirs
   * @throws IllegalStateException if this is closed or another thread uses it
   */
  public float run(int rows) {
    return run(usual, rows);
  }

  /**
   * As {@link #run(int)}, with what stands in a batch of {@link #newBatch}.
   *
   * @throws IllegalArgumentException if it is another trainer's
   */
  public float run(TrainingBatch batch, int rows) {
    batch.requireRows(rows);
    if (!batch.isOf(this)) {
      throw new IllegalArgumentException("This batch is another trainer's; use newBatch()");
    }
    use.enter();
    try {
      bind(batch);
      return step.run(rows, learningRate, step.isUpdateDue());
    } finally {
      use.leave();
    }
  }

  private void bind(TrainingBatch batch) {
    if (bound == batch) {
      return;
    }
    bound = null; // unless all of it can be bound
    List<BatchSlot> slots = batch.slots();
    for (int i = 0; i < slots.size(); i++) {
      step.bind(i, slots.get(i).buffer());
    }
    bound = batch;
  }

  /**
   * A step of a model with one input whose targets are class numbers. Both arrays are copied.
   *
   * @param examples [rows, …] row-major
   * @param classes [rows]
   */
  public float step(float[] examples, int[] classes, int rows) {
    return run(usual.fill(examples, classes, rows), rows);
  }

  /** As {@link #step(float[], int[], int)}, of targets that are numbers [rows, …]. */
  public float step(float[] examples, float[] targets, int rows) {
    return run(usual.fill(examples, targets, rows), rows);
  }

  /** What the device has chosen by measuring, as {@link dev.crema.plan.Plan#ways} says it. */
  public List<String> ways() {
    return step.plan().ways();
  }

  /**
   * Frees the moments and the memory of the batch, during a step when that ends; a second close
   * does nothing.
   */
  @Override
  public void close() {
    use.close();
  }

  private void release() {
    step.close();
    batches.forEach(batch -> batch.slots().forEach(BatchSlot::close));
  }
}
