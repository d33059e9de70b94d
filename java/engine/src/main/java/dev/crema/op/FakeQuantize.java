package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * x as the uint8 that stands for it would give it back: {@link QuantizeLinear} and {@link
 * DequantizeLinear} in one, in float32. NaN stays NaN. Its gradient is 1 where x is in range, else
 * 0 (the straight-through estimator, Bengio et al. 2013), so that training can look through it.
 *
 * @param q how bytes stand for x
 */
public record FakeQuantize(QuantizationParameters q) implements ElementwiseOp {
  static final int MOST = 255;

  public FakeQuantize {
    QuantizeLinear.requireFits(q, ElementType.UINT8);
  }

  @Override
  public double[] parameters() {
    return new double[] {q.scale(), -q.zeroPoint(), MOST - q.zeroPoint()};
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), y.input(0).then(new FakeQuantizeGrad(q), dy.get(0)));
  }
}
