package dev.crema.device;

import dev.crema.CremaException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * A graph with every tensor placed: what a device runs. All positions are checked against the
 * regions.
 *
 * @param capacity the most examples of a batch
 * @param threads of the pool; 0 for all
 * @param tf32 whether float32 products and convolutions may round their factors to TF32 where the
 *     device has it
 * @param regions the memory that tensors lie in
 * @param tensors where each tensor lies
 * @param instructions in order
 */
public record ProgramSpec(
    long capacity,
    int threads,
    boolean tf32,
    List<Region> regions,
    List<PlacedTensor> tensors,
    List<Instruction> instructions) {
  public ProgramSpec {
    regions = List.copyOf(regions);
    tensors = List.copyOf(tensors);
    instructions = List.copyOf(instructions);
  }

  /** What a region of memory is for. */
  public enum Use {
    /** Values that live within a run. */
    ARENA,
    /** Values that never change once they are bound. */
    CONSTANTS,
    /** Values that are read after a run, where the device has memory of its own. */
    RESULTS,
    /** What the caller gives anew at each run. */
    INPUT,
    /** What outlives a run and is shared by programs: parameters, moments. */
    STORAGE
  }

  /** A stretch of memory that is bound to a program. */
  public record Region(Use use, long bytes) {}

  /** A tensor {@code offset} bytes into a region. */
  public record PlacedTensor(int region, long offset, TensorType type) {
    /** Bytes that it has for a batch of that size. */
    public long bytes(long batch) {
      ElementType element = type.element();
      return type.at(batch).byteSize(element);
    }
  }

  /** For each region, the sections with instructions that change it: a bit mask. */
  public long[] writtenBy() {
    long[] sections = new long[regions.size()];
    for (Instruction i : instructions) {
      for (int output : i.outputs()) {
        sections[tensors.get(output).region()] |= i.sections();
      }
      for (int input : i.writes()) {
        int tensor = i.inputs().get(input);
        if (tensor >= 0) {
          sections[tensors.get(tensor).region()] |= i.sections();
        }
      }
    }
    return sections;
  }

  /**
   * Refuses tensors of 16-bit floating types where the device's kernel would read them as something
   * else.
   *
   * @throws CremaException naming the op, its layer and the type
   */
  public void requireElements(Device device) {
    for (Instruction i : instructions) {
      for (int tensor : i.inputs()) {
        requireElement(device, i, tensor);
      }
      for (int tensor : i.outputs()) {
        requireElement(device, i, tensor);
      }
    }
  }

  private void requireElement(Device device, Instruction i, int tensor) {
    if (tensor < 0) {
      return;
    }
    ElementType type = tensors.get(tensor).type().element();
    boolean half = type == ElementType.BFLOAT16 || type == ElementType.FLOAT16;
    if (half && !device.has(i.kernel(), type)) {
      throw new CremaException(
          i.where()
              + ": "
              + device.name()
              + " has no kernel "
              + i.kernel()
              + " for tensors of "
              + type
              + ". Cast them to FLOAT32 before, or use another device.");
    }
  }

  /**
   * One kernel call.
   *
   * @param where the op and its layer, for messages
   * @param sections bit mask: which parts of a step it belongs to
   * @param inputs indices of tensors, -1 for an absent one
   * @param outputs indices of tensors
   * @param writes which of the inputs it changes
   */
  public record Instruction(
      String kernel,
      String where,
      long sections,
      List<Integer> inputs,
      List<Integer> outputs,
      List<Integer> writes,
      long[] ints,
      double[] floats) {
    public Instruction {
      inputs = List.copyOf(inputs);
      outputs = List.copyOf(outputs);
      writes = List.copyOf(writes);
    }
  }
}
