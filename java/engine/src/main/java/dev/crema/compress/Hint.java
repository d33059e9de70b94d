package dev.crema.compress;

import dev.crema.CremaException;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.nn.ModelGraph;
import dev.crema.op.Add;
import dev.crema.op.Affine;
import dev.crema.op.Mul;
import dev.crema.op.ReduceMean;
import dev.crema.op.ReduceSum;
import dev.crema.op.Rsqrt;
import dev.crema.op.Square;
import dev.crema.op.Sub;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/** {@link Distillation#hint}. */
record Hint(String studentLayer, String teacherLayer, double weight) {
  /** Below what an attention's norm counts as nothing. */
  private static final double LEAST = 1e-12;

  Hint {
    Objects.requireNonNull(studentLayer, "studentLayer");
    Objects.requireNonNull(teacherLayer, "teacherLayer");
    if (!(weight > 0) || Double.isInfinite(weight)) {
      throw new IllegalArgumentException("A hint's weight must be above 0, got " + weight);
    }
  }

  /** The weighted distance from the mean over the teachers. */
  Node build(ModelGraph student, List<ModelGraph> teachers) {
    Node own = layer(student, studentLayer, "student");
    List<Node> theirs = teachers.stream().map(t -> layer(t, teacherLayer, "teacher")).toList();
    boolean same = theirs.stream().allMatch(t -> t.type().equals(own.type()));
    for (Node t : theirs) {
      if (!same && !haveSameMaps(own.type(), t.type())) {
        throw new CremaException(
            "The hint compares the student's '"
                + studentLayer
                + "' "
                + own.type()
                + " with the teacher's '"
                + teacherLayer
                + "' "
                + t.type()
                + ". Choose layers of one shape, or feature maps [n, ..., channels] that differ in"
                + " their channels only.");
      }
    }
    Node x = same ? own : attention(own);
    Node y = mean(theirs.stream().map(t -> same ? t : attention(t)).toList());
    return ReduceMean.all(x.then(new Sub(), y).then(new Square())).then(new Affine(weight, 0));
  }

  private static Node layer(ModelGraph model, String name, String whose) {
    Node node = model.values().get(name);
    if (node == null) {
      throw new CremaException(
          "The " + whose + " has no layer '" + name + "'; it has " + model.values().keySet());
    }
    return node;
  }

  private static boolean haveSameMaps(TensorType a, TensorType b) {
    int rank = a.rank();
    return rank > 2
        && b.rank() == rank
        && a.dims().subList(0, rank - 1).equals(b.dims().subList(0, rank - 1));
  }

  /** Mean square over the channels, divided by its norm: [n, ..., c] → [n, ..., 1]. */
  private static Node attention(Node x) {
    int rank = x.type().rank();
    Node map = x.then(new Square()).then(new ReduceMean(List.of(rank - 1), true));
    List<Integer> places = IntStream.range(1, rank).boxed().toList();
    Node squares = map.then(new Square()).then(new ReduceSum(places, true));
    return map.then(new Mul(), squares.then(new Affine(1, LEAST)).then(new Rsqrt()));
  }

  static Node mean(List<Node> nodes) {
    Node sum = nodes.get(0);
    for (Node more : nodes.subList(1, nodes.size())) {
      sum = sum.then(new Add(), more);
    }
    return nodes.size() == 1 ? sum : sum.then(new Affine(1.0 / nodes.size(), 0));
  }
}
