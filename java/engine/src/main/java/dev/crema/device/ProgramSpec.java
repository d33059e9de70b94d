package dev.crema.device;

import dev.crema.graph.TensorType;
import java.util.List;

/**
 * A graph with every tensor placed: what a device runs. All positions are checked against the
 * regions.
 *
 * @param capacity the most examples of a batch
 * @param threads of the pool; 0 for all
 * @param regions bytes of each memory region
 * @param tensors where each tensor lies
 * @param instructions in order
 */
public record ProgramSpec(
    long capacity,
    int threads,
    List<Long> regions,
    List<PlacedTensor> tensors,
    List<Instruction> instructions) {
  public ProgramSpec {
    regions = List.copyOf(regions);
    tensors = List.copyOf(tensors);
    instructions = List.copyOf(instructions);
  }

  /** A tensor {@code offset} bytes into a region. */
  public record PlacedTensor(int region, long offset, TensorType type) {}

  /**
   * One kernel call.
   *
   * @param where the op and its layer, for messages
   * @param sections bit mask: which parts of a step it belongs to
   * @param inputs indices of tensors, -1 for an absent one
   * @param outputs indices of tensors
   */
  public record Instruction(
      String kernel,
      String where,
      long sections,
      List<Integer> inputs,
      List<Integer> outputs,
      long[] ints,
      double[] floats) {
    public Instruction {
      inputs = List.copyOf(inputs);
      outputs = List.copyOf(outputs);
    }
  }
}
