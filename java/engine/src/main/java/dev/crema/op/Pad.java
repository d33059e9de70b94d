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
import java.util.List;

/**
 * Elements put before and after each axis of a float32 tensor. An axis that depends on the batch
 * size gets none.
 *
 * @param before how many, one for each axis
 * @param after how many, one for each axis
 * @param value of {@link Mode#VALUE}
 */
public record Pad(List<Long> before, List<Long> after, Mode mode, float value) implements Op {
  /** What is put there. */
  public enum Mode {
    /** One value. */
    VALUE,
    /** The inside mirrored at the border, which is not repeated: at most the extent minus one. */
    REFLECT,
    /** The border repeated. */
    EDGE
  }

  public Pad {
    before = List.copyOf(before);
    after = List.copyOf(after);
    if (before.isEmpty() || before.size() != after.size()) {
      throw new ShapeException(
          "padding needs before and after of each axis, got " + before + " and " + after);
    }
  }

  /** Padding with a value. */
  public static Pad of(List<Long> before, List<Long> after, float value) {
    return new Pad(before, after, Mode.VALUE, value);
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0).requireFloating("input");
    x.requireRank(before.size(), "input");
    List<Dim> dims = new ArrayList<>();
    for (int a = 0; a < x.rank(); a++) {
      dims.add(padded(x, a, before.get(a), after.get(a)));
    }
    return List.of(x.withDims(dims));
  }

  private Dim padded(TensorType x, int axis, long front, long back) {
    if (front == 0 && back == 0) {
      return x.dim(axis);
    }
    long extent = x.extent(axis);
    long most =
        switch (mode) {
          case VALUE -> Long.MAX_VALUE;
          case REFLECT -> extent - 1;
          case EDGE -> extent == 0 ? 0 : Long.MAX_VALUE;
        };
    if (front < 0 || back < 0 || front > most || back > most) {
      throw new ShapeException(
          String.format(
              "axis %d of %s cannot be padded by %d and %d in mode %s",
              axis, x, front, back, mode));
    }
    return Dim.of(Math.addExact(extent, Math.addExact(front, back)));
  }

  @Override
  public void attributes(Attributes a) {
    a.ints(mode.ordinal());
    before.forEach(a::ints);
    a.floats(value);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    TensorType x = y.input(0).type();
    g.add(y.input(0), dy.get(0).then(mode == Mode.VALUE ? inside(x) : new PadGrad(this, x)));
  }

  private Slice inside(TensorType x) {
    List<Long> begin = new ArrayList<>();
    List<Long> end = new ArrayList<>();
    List<Long> step = new ArrayList<>();
    for (int a = 0; a < x.rank(); a++) {
      boolean whole = before.get(a) == 0 && after.get(a) == 0;
      begin.add(before.get(a));
      end.add(whole ? Slice.WHOLE : before.get(a) + x.extent(a));
      step.add(1L);
    }
    return new Slice(begin, end, step);
  }
}
