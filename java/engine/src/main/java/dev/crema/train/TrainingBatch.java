package dev.crema.train;

import dev.crema.CremaException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The memory of one batch of a {@link BatchTrainer}. With two of them the next batch is written,
 * and on its way to the device, while this one trains:
 *
 * <pre>{@code
 * TrainingBatch now = trainer.newBatch();
 * TrainingBatch next = trainer.newBatch();
 * now.fill(examples, classes, rows).send(rows);
 * while (more()) {
 *   next.fill(examples, classes, rows).send(rows); // copied while the step runs
 *   float loss = trainer.run(now, rows);
 *   TrainingBatch done = now;
 *   now = next;
 *   next = done;
 * }
 * }</pre>
 *
 * <p>Closed with its trainer. May be filled on another thread than the one that trains.
 */
public final class TrainingBatch {
  private final BatchTrainer owner;
  private final int capacity;
  private final int inputs;
  private final List<String> outputs;
  private final List<BatchSlot> slots;

  /**
   * @param slots one for each input, then one for each output that is trained
   */
  TrainingBatch(
      BatchTrainer owner, int capacity, int inputs, List<String> outputs, List<BatchSlot> slots) {
    this.owner = owner;
    this.capacity = capacity;
    this.inputs = inputs;
    this.outputs = outputs;
    this.slots = List.copyOf(slots);
  }

  /**
   * Memory of the {@code index}-th input, native byte order, row-major, room for the trainer's
   * capacity of examples. Valid for as long as it can be reached.
   */
  public ByteBuffer input(int index) {
    if (index < 0 || index >= inputs) {
      throw new IllegalArgumentException(
          "There are inputs 0 to " + (inputs - 1) + ", got " + index);
    }
    return slots.get(index).view();
  }

  /**
   * As {@link #input}: class numbers (int32) or floats, as the loss has them.
   *
   * @throws CremaException if several outputs are trained
   */
  public ByteBuffer target() {
    if (outputs.size() > 1) {
      throw new CremaException(
          "There are several targets, one for each of the outputs "
              + outputs
              + ": use target(output)");
    }
    return slots.get(inputs).view();
  }

  /** As {@link #target()}, of one output of several. */
  public ByteBuffer target(String output) {
    return slots.get(inputs + owner.indexOf(output)).view();
  }

  /**
   * Copies examples and class numbers into it, of a model with one input and one target.
   *
   * @param examples [rows, …] row-major
   * @param classes [rows]
   * @return this
   * @throws IllegalStateException if the trainer is closed
   */
  public TrainingBatch fill(float[] examples, int[] classes, int rows) {
    requireOpen(rows);
    onlyInput().put(examples, rows);
    slots.get(1).put(classes, rows);
    return this;
  }

  /** As {@link #fill(float[], int[], int)}, of targets that are numbers [rows, …]. */
  public TrainingBatch fill(float[] examples, float[] targets, int rows) {
    requireOpen(rows);
    onlyInput().put(examples, rows);
    slots.get(1).put(targets, rows);
    return this;
  }

  private BatchSlot onlyInput() {
    if (inputs != 1) {
      throw new CremaException(
          "This model has "
              + inputs
              + " inputs: write each to input(i), the target to target(), and call run");
    }
    if (slots.size() != 2) {
      throw new CremaException(
          "The outputs "
              + outputs
              + " are trained: write the input to input(0), each target to target(output), and"
              + " call run");
    }
    return slots.get(0);
  }

  private void requireOpen(int rows) {
    owner.requireOpen();
    requireRows(rows);
  }

  void requireRows(int rows) {
    if (rows < 1 || rows > capacity) {
      throw new IllegalArgumentException(
          "A step takes 1 to " + capacity + " examples, got " + rows);
    }
  }

  /**
   * Begins to copy the first examples to a device with memory of its own, for the next run of this
   * batch; other batches may train meanwhile. What is written from now on until that run has ended
   * may or may not count. Without it the run copies the batch itself.
   *
   * @param rows as many as are to be trained on, 1 to the trainer's capacity
   * @throws IllegalStateException if the trainer is closed
   */
  public void send(int rows) {
    requireOpen(rows);
    slots.forEach(slot -> slot.send(rows));
  }

  boolean isOf(BatchTrainer trainer) {
    return owner == trainer;
  }

  List<BatchSlot> slots() {
    return slots;
  }
}
