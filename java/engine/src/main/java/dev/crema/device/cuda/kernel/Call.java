package dev.crema.device.cuda.kernel;

import dev.crema.device.ProgramSpec.Instruction;
import java.util.List;
import java.util.function.IntPredicate;

/** An instruction at one batch size: its tensors on the device and its constants. */
public final class Call {
  private final Instruction instruction;
  private final int number;
  private final long batch;
  private final List<Operand> inputs; // may hold null
  private final List<Operand> outputs;
  private final Processor processor;
  private final long errors;
  private final IntPredicate readers;
  private boolean canFail;

  /** Of which all outputs are read. */
  public Call(
      Instruction instruction,
      int number,
      long batch,
      List<Operand> inputs,
      List<Operand> outputs,
      Processor processor,
      long errors) {
    this(instruction, number, batch, inputs, outputs, processor, errors, output -> true);
  }

  /**
   * @param number its position in the program
   * @param inputs null for an absent one
   * @param errors address of the program's table of errors
   * @param readers whether anybody reads an output
   */
  public Call(
      Instruction instruction,
      int number,
      long batch,
      List<Operand> inputs,
      List<Operand> outputs,
      Processor processor,
      long errors,
      IntPredicate readers) {
    this.instruction = instruction;
    this.number = number;
    this.batch = batch;
    this.inputs = inputs;
    this.outputs = outputs;
    this.processor = processor;
    this.errors = errors;
    this.readers = readers;
  }

  public Instruction instruction() {
    return instruction;
  }

  /** Examples. */
  public long batch() {
    return batch;
  }

  public int ins() {
    return inputs.size();
  }

  public int outs() {
    return outputs.size();
  }

  /** Whether that input is there. */
  public boolean has(int input) {
    return input < inputs.size() && inputs.get(input) != null;
  }

  /** An input; null if it is absent. */
  public Operand in(int index) {
    return index < inputs.size() ? inputs.get(index) : null;
  }

  /** Address of an input; 0 if it is absent. */
  public long address(int input) {
    return has(input) ? inputs.get(input).address() : 0;
  }

  public Operand out(int index) {
    return outputs.get(index);
  }

  /** Whether another instruction, or somebody after the run, may read an output. */
  public boolean isRead(int output) {
    return readers.test(output);
  }

  public long integer(int index) {
    return instruction.ints()[index];
  }

  public double real(int index) {
    return instruction.floats()[index];
  }

  public Processor processor() {
    return processor;
  }

  /**
   * Address of the program's table of errors: 8-byte words, all ones when a run begins. A kernel
   * that finds bad data stores, by atomicMin, its {@link #slot} in word 0 and {@code position << 32
   * | value} in the word of its slot. Kernels that change variables do nothing unless word 0 is all
   * ones, so that a batch with bad data changes none.
   */
  public long errors() {
    return errors;
  }

  /** The word of this instruction in {@link #errors}; asking for it says that it may fail. */
  public int slot() {
    canFail = true;
    return number + 1;
  }

  /** Whether {@link #slot} was asked for. */
  public boolean canFail() {
    return canFail;
  }
}
