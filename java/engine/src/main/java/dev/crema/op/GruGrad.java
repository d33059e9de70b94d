package dev.crema.op;

import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Gradient of {@link Gru}. Inputs: x, kernel, recurrent kernel, first h?, then of its outputs h of
 * every step, gates and h·un + cn, then what flows into its first two outputs (each optional).
 * Outputs: gradients in the six inputs of the Gru, in their order.
 */
public record GruGrad() implements Op {
  @Override
  public boolean mayLack(int input) {
    return input >= 3;
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    RecurrentTypes types = RecurrentTypes.of(in, 3, 9);
    TensorType bias = types.x().withDims(List.of(types.width()));
    return List.of(types.x(), types.kernel(), types.recurrent(), bias, bias, types.state());
  }
}
