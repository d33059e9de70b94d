package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * LAMB (You et al. 2020): AdamW whose step is scaled for each tensor by |w| / |step|.
 *
 * @param segments end of each tensor in the range, ascending
 */
public record Lamb(
    double weightDecay, double beta1, double beta2, double epsilon, List<Long> segments)
    implements UpdateOp {
  public Lamb {
    segments = List.copyOf(segments);
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    List<TensorType> outputs = UpdateOp.super.infer(in);
    long parameters = in.get(0).extent(0);
    long before = 0;
    for (long end : segments) {
      if (end < before || end > parameters) {
        throw new ShapeException(
            "the ends of the tensors must ascend within "
                + parameters
                + " parameters but are "
                + segments);
      }
      before = end;
    }
    return outputs;
  }

  @Override
  public boolean isElementwise() {
    return false;
  }

  @Override
  public int moments() {
    return 2;
  }

  @Override
  public void attributes(Attributes a) {
    segments.forEach(a::ints);
    a.floats(weightDecay, beta1, beta2, epsilon);
  }
}
