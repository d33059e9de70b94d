package dev.crema.op;

import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Gradient of {@link Lstm}. Inputs: x, kernel, recurrent kernel, first h?, first c?, then of its
 * outputs h, c and gates of every step, then what flows into its first three outputs (each
 * optional), then its bias?, for devices that go through the layer again. Outputs: gradients in the
 * six inputs of the Lstm, in their order; all but the first are float32.
 */
public record LstmGrad() implements Op {
  @Override
  public boolean mayLack(int input) {
    return input >= 3;
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    RecurrentTypes types = RecurrentTypes.of(in, 4, 12);
    return List.of(
        types.x(),
        types.gradient(types.kernel()),
        types.gradient(types.recurrent()),
        types.bias(),
        types.wideState(),
        types.wideState());
  }
}
