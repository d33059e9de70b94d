package dev.crema.op;

import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Gradient of {@link Gru}. Inputs: x, kernel, recurrent kernel, first h?, then of its outputs h of
 * every step, gates and h·un + cn, then what flows into its first two outputs (each optional), then
 * its bias? and recurrent bias?, for devices that go through the layer again. Outputs: gradients in
 * the six inputs of the Gru, in their order; all but the first are float32.
 */
public record GruGrad() implements Op {
  @Override
  public boolean mayLack(int input) {
    return input >= 3;
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    RecurrentTypes types = RecurrentTypes.of(in, 3, 11);
    return List.of(
        types.x(),
        types.gradient(types.kernel()),
        types.gradient(types.recurrent()),
        types.bias(),
        types.bias(),
        types.wideState());
  }
}
