package dev.crema.nn;

import dev.crema.graph.Application;
import dev.crema.graph.Assign;
import dev.crema.graph.Constant;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Fused;
import dev.crema.graph.Input;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import dev.crema.graph.Variable;
import dev.crema.op.Attention;
import dev.crema.op.AveragePool2d;
import dev.crema.op.Conv1d;
import dev.crema.op.Conv2d;
import dev.crema.op.ConvTranspose2d;
import dev.crema.op.Gru;
import dev.crema.op.Linear;
import dev.crema.op.Lstm;
import dev.crema.op.MatMul;
import dev.crema.op.MaxPool2d;
import java.util.List;
import java.util.Map;

/**
 * Floating-point operations of ops, for one example. A multiplication and an addition count as two;
 * an element-wise op as one for each element of its output, whatever its function; a pooling as one
 * for each element of its windows; moving data as none.
 */
final class Flops {
  /** By kernel; what is not listed moves data. */
  private static final Map<String, Double> PER_INPUT_ELEMENT =
      Map.ofEntries(
          Map.entry("softmax", 5.0), // maximum, difference, exponential, sum, quotient
          Map.entry("log_softmax", 5.0),
          Map.entry("layer_norm", 8.0), // mean, variance, difference, scale, affine
          Map.entry("rms_norm", 4.0),
          Map.entry("batch_norm", 2.0),
          Map.entry("global_average_pool", 1.0),
          Map.entry("global_max_pool", 1.0),
          Map.entry("reduce_sum", 1.0),
          Map.entry("reduce_mean", 1.0),
          Map.entry("reduce_max", 1.0));

  private Flops() {}

  static double of(List<Application> applications) {
    return applications.stream().mapToDouble(Flops::of).sum();
  }

  static double of(Application a) {
    Op op = a.op();
    if (op instanceof Input
        || op instanceof Variable
        || op instanceof Constant
        || op instanceof Assign
        || a.outputs().isEmpty()) {
      return 0;
    }
    double out = elements(a.output(0));
    if (op instanceof Linear) {
      return out * (2.0 * a.input(1).type().extent(0) + added(a));
    }
    if (op instanceof MatMul p) {
      return out * 2 * a.input(0).type().extent(p.transposeA() ? -2 : -1);
    }
    if (op instanceof Attention attention) {
      TensorType k = a.input(1).type();
      double keys = k.extent(attention.headsInside() ? -3 : -2);
      double scores = out / a.output(0).type().extent(-1) * keys;
      // The scale, two products, and of each score what a softmax does.
      return elements(a.input(0)) + scores * (2 * k.extent(-1) + 5) + out * 2 * keys;
    }
    if (op instanceof Conv2d || op instanceof Conv1d) {
      TensorType kernel = a.input(1).type();
      double taps = elements(a.input(1)) / kernel.extent(-1);
      return out * (2 * taps + added(a));
    }
    if (op instanceof Lstm || op instanceof Gru) {
      return recurrent(a);
    }
    if (op instanceof ConvTranspose2d) {
      double taps = elements(a.input(1)) / a.input(1).type().extent(-1);
      return 2 * taps * elements(a.input(0)) + out * added(a);
    }
    if (op instanceof MaxPool2d p) {
      return out * p.height() * p.width();
    }
    if (op instanceof AveragePool2d p) {
      return out * p.height() * p.width();
    }
    if (op instanceof ElementwiseOp) {
      return out;
    }
    if (op instanceof Fused f) {
      return out * f.steps().size();
    }
    return PER_INPUT_ELEMENT.getOrDefault(op.kernel(), 0.0) * elements(a.input(0));
  }

  /** Two products for each step, and about ten operations for each gate. */
  private static double recurrent(Application a) {
    TensorType kernel = a.input(1).type();
    double steps = elements(a.input(0)) / kernel.extent(0);
    double units = a.input(2).type().extent(0);
    return steps * kernel.extent(1) * (2 * (kernel.extent(0) + units) + 10);
  }

  /** 1 where a bias is added. */
  private static int added(Application a) {
    return a.inputs().size() > 2 && a.input(2) != null ? 1 : 0;
  }

  private static double elements(Node x) {
    double product = 1;
    for (var d : x.type().dims()) {
      product *= (double) d.perExample() + d.constant();
    }
    return product;
  }
}
