package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Gated recurrent units over a sequence (Cho et al. 2014), the reset gate acting after the
 * recurrent product as in PyTorch, cuDNN and Keras with {@code reset_after}. Gates in PyTorch's
 * order r, z, n (Keras has z, r, n): {@code r = σ(x·kr + br + h·ur + cr)}, {@code z = σ(x·kz + bz +
 * h·uz + cz)}, {@code n = tanh(x·kn + bn + r·(h·un + cn))}, {@code h ← (1 − z)·n + z·h}.
 *
 * <p>Inputs: x [n, t, features], kernel k [features, 3·units], recurrent kernel u [units, 3·units],
 * bias b [3·units] (optional), recurrent bias c [3·units] (optional), first h [n, units] (optional,
 * zero). Outputs: h of every step [n, t, units], last h [n, units]; then, for the gradient only,
 * the gates [n, t, 3·units] and h·un + cn [n, t, units].
 *
 * <p>x, the kernels and h may be 16-bit; biases, gates and what a step adds to h are float32.
 */
public record Gru() implements Op {
  @Override
  public boolean mayLack(int input) {
    return input >= 3;
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    RecurrentTypes types = RecurrentTypes.of(in, 3, 6);
    types.requireBias(in.get(3), "bias");
    types.requireBias(in.get(4), "recurrent bias");
    types.requireState(in.get(5), "first h");
    return List.of(
        types.states(), types.state(), types.steps(types.width()), types.steps(types.units()));
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    if (dy.get(2) != null || dy.get(3) != null) {
      throw new ShapeException("no gradient is defined for the gates of a Gru");
    }
    Application d =
        y.graph()
            .apply(
                new GruGrad(),
                y.input(0),
                y.input(1),
                y.input(2),
                y.input(5),
                y.output(0),
                y.output(2),
                y.output(3),
                dy.get(0),
                dy.get(1),
                y.input(3),
                y.input(4));
    for (int i = 0; i < 6; i++) {
      g.add(y.input(i), d.output(i));
    }
  }
}
