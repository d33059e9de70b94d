package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Long short-term memory over a sequence (Hochreiter and Schmidhuber 1997; forget gates: Gers et
 * al. 2000). Gates in the order i, f, g, o, as in Keras and PyTorch: {@code [i f g o] = x·kernel +
 * h·recurrent + bias}; i, f and o go through the sigmoid, g through tanh; {@code c ← f·c + i·g},
 * {@code h ← o·tanh(c)}.
 *
 * <p>Inputs: x [n, t, features], kernel [features, 4·units], recurrent kernel [units, 4·units],
 * bias [4·units] (optional), first h [n, units] (optional, zero), first c [n, units] (optional,
 * zero). Outputs: h of every step [n, t, units], last h [n, units], last c [n, units]; then, for
 * the gradient only, c of every step [n, t, units] and the gates [n, t, 4·units].
 *
 * <p>x, the kernels and h may be 16-bit; bias, c and gates are float32.
 */
public record Lstm() implements Op {
  @Override
  public boolean mayLack(int input) {
    return input >= 3;
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    RecurrentTypes types = RecurrentTypes.of(in, 4, 6);
    types.requireBias(in.get(3), "bias");
    types.requireState(in.get(4), "first h");
    types.requireWideState(in.get(5), "first c");
    return List.of(
        types.states(),
        types.state(),
        types.wideState(),
        types.steps(types.units()),
        types.steps(types.width()));
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    if (dy.get(3) != null || dy.get(4) != null) {
      throw new ShapeException("no gradient is defined for the cells and gates of an Lstm");
    }
    Application d =
        y.graph()
            .apply(
                new LstmGrad(),
                y.input(0),
                y.input(1),
                y.input(2),
                y.input(4),
                y.input(5),
                y.output(0),
                y.output(3),
                y.output(4),
                dy.get(0),
                dy.get(1),
                dy.get(2),
                y.input(3));
    for (int i = 0; i < 6; i++) {
      g.add(y.input(i), d.output(i));
    }
  }
}
