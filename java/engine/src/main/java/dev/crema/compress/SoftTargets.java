package dev.crema.compress;

import dev.crema.graph.Node;
import dev.crema.nn.BuiltIn;
import dev.crema.op.Add;
import dev.crema.op.Affine;
import dev.crema.op.KlDivergence;
import dev.crema.op.LogSoftmax;
import dev.crema.op.Neg;
import dev.crema.op.ReduceMean;
import dev.crema.op.ReduceSum;
import dev.crema.op.Sigmoid;
import dev.crema.op.Softmax;
import dev.crema.op.Softplus;
import dev.crema.op.Square;
import dev.crema.op.Sub;
import java.util.List;

/** How far a student's answers are from its teachers', with temperature T. */
final class SoftTargets {
  private SoftTargets() {}

  /** A scalar; the mean over the batch. */
  static Node distance(
      Node student, List<Node> teachers, BuiltIn.Output answers, double temperature) {
    return switch (answers) {
      case CLASSES -> ofClasses(student, teachers, temperature);
      case LABELS -> ofLabels(student, teachers, temperature);
      case VALUES ->
          ReduceMean.all(student.then(new Sub(), Hint.mean(teachers)).then(new Square()));
    };
  }

  private static Node ofClasses(Node student, List<Node> teachers, double temperature) {
    int last = student.type().rank() - 1;
    Node soft =
        Hint.mean(
            teachers.stream().map(t -> softened(t, temperature).then(new Softmax())).toList());
    Node terms =
        softened(student, temperature).then(new LogSoftmax()).then(new KlDivergence(), soft);
    Node each = terms.then(new ReduceSum(List.of(last), false));
    return ReduceMean.all(each).then(new Affine(temperature * temperature, 0));
  }

  /** log sigmoid(z) is −softplus(−z), and log(1 − sigmoid(z)) is −softplus(z). */
  private static Node ofLabels(Node student, List<Node> teachers, double temperature) {
    Node p =
        Hint.mean(
            teachers.stream().map(t -> softened(t, temperature).then(new Sigmoid())).toList());
    Node z = softened(student, temperature);
    Node yes = z.then(new Neg()).then(new Softplus()).then(new Neg());
    Node no = z.then(new Softplus()).then(new Neg());
    Node terms =
        yes.then(new KlDivergence(), p)
            .then(new Add(), no.then(new KlDivergence(), p.then(new Affine(-1, 1))));
    return ReduceMean.all(terms).then(new Affine(temperature * temperature, 0));
  }

  /** What goes into the function at the model's end, or its output itself, divided by T. */
  private static Node softened(Node output, double temperature) {
    boolean function =
        output.op() instanceof Softmax
            || output.op() instanceof LogSoftmax
            || output.op() instanceof Sigmoid;
    Node logits = function ? output.application().input(0) : output;
    return temperature == 1 ? logits : logits.then(new Affine(1 / temperature, 0));
  }
}
