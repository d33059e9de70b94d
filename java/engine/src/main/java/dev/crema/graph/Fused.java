package dev.crema.graph;

import java.util.ArrayList;
import java.util.List;

/**
 * A chain of element-wise ops as one: each step works on registers, which are the inputs (0 ..
 * ins-1), the outputs and then temporaries. Broadcasts its inputs to the extents of its outputs.
 * Registers hold float32; a value is rounded to an output's type where it is stored.
 *
 * @param types of the outputs, all of the same extents
 * @param steps in order
 */
public record Fused(List<TensorType> types, List<Step> steps) implements Op {
  /** The most registers and parameters that the devices' kernels take. */
  public static final int MAX_REGISTERS = 24;

  public static final int MAX_PARAMETERS = 4 * MAX_REGISTERS;

  /**
   * One operation: its register to write, the registers it reads, its parameters.
   *
   * @param operation name on the device
   */
  public record Step(
      String operation, int destination, List<Integer> operands, List<Double> parameters) {
    public Step {
      operands = List.copyOf(operands);
      parameters = List.copyOf(parameters);
    }

    static Step of(ElementwiseOp op, int destination, List<Integer> operands) {
      List<Double> parameters = new ArrayList<>();
      for (double p : op.parameters()) {
        parameters.add(p);
      }
      return new Step(op.operation(), destination, operands, parameters);
    }
  }

  public Fused {
    types = List.copyOf(types);
    steps = List.copyOf(steps);
    if (!types.stream().allMatch(types.get(0)::sameDims)) {
      throw new ShapeException("the outputs of a chain differ in their extents: " + types);
    }
  }

  /** A chain of one. */
  public static Fused of(Application single) {
    int ins = single.inputs().size();
    List<Integer> operands = new ArrayList<>();
    for (int i = 0; i < ins; i++) {
      operands.add(i);
    }
    Step step = Step.of((ElementwiseOp) single.op(), ins, operands);
    return new Fused(List.of(single.output(0).type()), List.of(step));
  }

  /** A step that moves a register into another. */
  public static Step copy(int destination, int operand) {
    return new Step("copy", destination, List.of(operand), List.of());
  }

  /** A step of a chain under construction. */
  public static Step step(ElementwiseOp op, int destination, List<Integer> operands) {
    return Step.of(op, destination, operands);
  }

  @Override
  public String kernel() {
    return "elementwise";
  }

  @Override
  public List<TensorType> infer(List<TensorType> inputs) {
    return types;
  }

  @Override
  public void attributes(Attributes a) {
    a.ints(steps.size());
    int parameter = 0;
    for (Step s : steps) {
      a.operation(s.operation()).ints(s.destination());
      for (int i = 0; i < 3; i++) {
        a.ints(i < s.operands().size() ? s.operands().get(i) : -1);
      }
      a.ints(parameter);
      for (double p : s.parameters()) {
        a.floats(p);
        parameter++;
      }
    }
  }

  @Override
  public boolean inPlace() {
    return types.size() == 1;
  }
}
