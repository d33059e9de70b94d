package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Dim;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Elements {@code begin, begin + step, ...} below {@code end} of each axis; any element type. An
 * axis that depends on the batch size stays whole.
 *
 * @param begin one for each axis, from 0
 * @param end one for each axis, not included; {@link #WHOLE} for all from {@code begin} on
 * @param step one for each axis, from 1
 */
public record Slice(List<Long> begin, List<Long> end, List<Long> step) implements Op {
  public static final long WHOLE = Long.MAX_VALUE;

  public Slice {
    begin = List.copyOf(begin);
    end = List.copyOf(end);
    step = List.copyOf(step);
    if (begin.isEmpty() || end.size() != begin.size() || step.size() != begin.size()) {
      throw new ShapeException(
          "a slice needs begin, end and step of each axis, got " + begin + end + step);
    }
  }

  /** Elements [begin, end) of one axis (counted from the first) of a tensor of that rank. */
  public static Slice axis(int rank, int axis, long begin, long end) {
    List<Long> from = new ArrayList<>(Collections.nCopies(rank, 0L));
    List<Long> to = new ArrayList<>(Collections.nCopies(rank, WHOLE));
    from.set(axis, begin);
    to.set(axis, end);
    return new Slice(from, to, Collections.nCopies(rank, 1L));
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0).requireRank(begin.size(), "input");
    List<Dim> dims = new ArrayList<>();
    for (int a = 0; a < x.rank(); a++) {
      dims.add(part(x, a));
    }
    return List.of(x.withDims(dims));
  }

  private Dim part(TensorType x, int a) {
    long from = begin.get(a);
    long to = end.get(a);
    if (from == 0 && to == WHOLE && step.get(a) == 1) {
      return x.dim(a);
    }
    if (!x.dim(a).isConstant()) {
      throw new ShapeException(
          "axis " + a + " of " + x + " depends on the batch size; a slice takes it whole");
    }
    long extent = x.extent(a);
    to = to == WHOLE ? extent : to;
    if (from < 0 || from > to || to > extent || step.get(a) < 1) {
      throw new ShapeException(
          String.format(
              "the slice %d to %d by %d is not within axis %d of %s", from, to, step.get(a), a, x));
    }
    return Dim.of(to == from ? 0 : (to - from - 1) / step.get(a) + 1);
  }

  @Override
  public void attributes(Attributes a) {
    begin.forEach(a::ints);
    step.forEach(a::ints);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), dy.get(0).then(new SliceGrad(this, y.input(0).type())));
  }
}
