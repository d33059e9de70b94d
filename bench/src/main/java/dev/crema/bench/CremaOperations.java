package dev.crema.bench;

import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.op.Adam;
import dev.crema.op.Add;
import dev.crema.op.Conv2d;
import dev.crema.op.Gelu;
import dev.crema.op.LayerNorm;
import dev.crema.op.Lstm;
import dev.crema.op.MatMul;
import dev.crema.op.MaxPool2d;
import dev.crema.op.Relu;
import dev.crema.op.Softmax;
import dev.crema.op.Window2d;
import dev.crema.pass.Autodiff;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Single operations as graphs of Crema. */
final class CremaOperations {
  private CremaOperations() {}

  static List<Node> build(Problem problem, GraphTask.Inputs in) {
    if (problem instanceof Problem.ResidualBlock p) {
      return residual(p, in);
    }
    if (problem instanceof Problem.MatMul p) {
      Node a = in.uniform(1, p.m(), p.k());
      return List.of(a.then(new MatMul(false, false), in.uniform(2, p.k(), p.n())));
    }
    if (problem instanceof Problem.AdamUpdate p) {
      return adam(p.parameters(), in);
    }
    if (problem instanceof Problem.Rowwise p) {
      return List.of(rowwise(p, in));
    }
    if (problem instanceof Problem.MaxPool p) {
      Node x = in.uniform(1, p.batch(), p.side(), p.side(), p.channels());
      return List.of(x.then(new MaxPool2d(2, 2, Window2d.valid(2, 2))));
    }
    if (problem instanceof Problem.LstmLayer p) {
      return lstm(p, in);
    }
    return Kernels.all().get(((Problem.Kernel) problem).name()).builder().build(in);
  }

  private static List<Node> residual(Problem.ResidualBlock p, GraphTask.Inputs in) {
    int c = p.channels();
    Node x = in.uniform(1, p.batch(), p.side(), p.side(), c);
    Node k1 = in.weights(2, 9 * c, 3, 3, c, c);
    Node k2 = in.weights(3, 9 * c, 3, 3, c, c);
    Node b1 = in.uniform(4, c);
    Node b2 = in.uniform(5, c);
    Conv2d conv = new Conv2d(Window2d.valid(1, 1).padded(1, 1, 1, 1));
    Node inner = x.then(conv, k1, b1).then(new Relu()).then(conv, k2, b2);
    Node y = inner.then(new Add(), x).then(new Relu());
    if (!p.backward()) {
      return List.of(y);
    }
    Node dy = in.uniform(6, p.batch(), p.side(), p.side(), c);
    return gradients(y, dy, List.of(x, k1, k2, b1, b2));
  }

  private static List<Node> gradients(Node y, Node dy, List<Node> wrt) {
    Map<Node, Node> flows = Autodiff.gradients(y, dy, wrt);
    List<Node> outputs = new ArrayList<>();
    wrt.forEach(x -> outputs.add(flows.get(x)));
    outputs.add(y);
    return outputs;
  }

  static List<Node> adam(int parameters, GraphTask.Inputs in) {
    Node w = in.stored(Storage.PARAMETERS, Data.uniform(1, parameters));
    Node g = in.stored(Storage.GRADIENTS, Data.uniform(2, parameters));
    Node m = in.stored(Storage.moment(0), new float[parameters]);
    Node v = in.stored(Storage.moment(1), new float[parameters]);
    Node hyper = in.stored(Storage.HYPER, new float[] {0.001f, 1, 0.1f, 0.001f});
    in.graph().apply(new Adam(0, 0.9, 0.999, 1e-8, false), w, g, m, v, hyper, null);
    return List.of(w);
  }

  private static Node rowwise(Problem.Rowwise p, GraphTask.Inputs in) {
    Node x = in.floats(p.input(), p.rows(), p.columns());
    return switch (p.function()) {
      case SOFTMAX -> x.then(new Softmax());
      case GELU -> x.then(new Gelu());
      case LAYER_NORM ->
          x.then(new LayerNorm(1e-5), in.uniform(2, p.columns()), in.uniform(3, p.columns()));
    };
  }

  private static List<Node> lstm(Problem.LstmLayer p, GraphTask.Inputs in) {
    int u = p.units();
    Node x = in.uniform(1, p.batch(), p.steps(), u);
    Node kernel = in.weights(2, u, u, 4L * u);
    Node recurrent = in.weights(3, u, u, 4L * u);
    Node bias = in.uniform(4, 4L * u);
    Node y = x.then(new Lstm(), kernel, recurrent, bias, null, null);
    return gradients(
        y, in.uniform(5, p.batch(), p.steps(), u), List.of(x, kernel, recurrent, bias));
  }
}
