package dev.crema.op;

import dev.crema.graph.Attributes;
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
  public int moments() {
    return 2;
  }

  @Override
  public void attributes(Attributes a) {
    segments.forEach(a::ints);
    a.floats(weightDecay, beta1, beta2, epsilon);
  }
}
