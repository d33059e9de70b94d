package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.crema.device.Device;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.op.Cast;
import dev.crema.op.LayerNorm;
import dev.crema.pass.Autodiff;
import dev.crema.plan.Plan;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;

/** Layer normalisation of rows of n numbers with its gradients, and the same in float64. */
record LayerNormLayer(ElementType type, boolean scaled, int rows, int n) {
  private static final double EPSILON = 1e-3;
  private static final List<String> RESULTS = List.of("y", "dx", "dgamma", "dbeta");

  static LayerNormLayer of(ElementType type, int rows, int n) {
    return new LayerNormLayer(type, true, rows, n);
  }

  /** A plan with its outputs: y, dx, and dgamma and dbeta if it is scaled. */
  record Running(Plan plan, List<Node> outputs) implements NearCards.Running {}

  Running plan(Device device) {
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.batchOf(n)).then(new Cast(type));
    Node dy = graph.input("dy", TensorType.batchOf(n)).then(new Cast(type));
    Node gamma = scaled ? graph.input("gamma", TensorType.of(n)) : null;
    Node beta = scaled ? graph.input("beta", TensorType.of(n)) : null;
    graph.beginLayer("norm");
    Node y = x.then(new LayerNorm(EPSILON), gamma, beta);
    graph.endLayer();
    List<Node> of = scaled ? List.of(x, gamma, beta) : List.of(x);
    Map<Node, Node> d = Autodiff.gradients(List.of(y), List.of(dy), of);
    List<Node> outputs = new ArrayList<>();
    outputs.add(y.then(new Cast(ElementType.FLOAT32)));
    of.forEach(each -> outputs.add(d.get(each).then(new Cast(ElementType.FLOAT32))));
    Plan plan =
        Plan.of(graph).outputs(outputs.toArray(Node[]::new)).capacity(rows).device(device).build();
    return new Running(plan, outputs);
  }

  /** Multiples of 1/8, which every type holds; seeds are the lengths of the inputs' names. */
  private static double value(String input, int i) {
    return ((i * 37 + i / 31 * 5 + input.length() * 11) % 31 - 14) / 8.0;
  }

  /** y, dx, dgamma, dbeta. */
  List<float[]> run(Running of) {
    for (String input : of.plan().inputs()) {
      boolean isOfRows = input.equals("x") || input.equals("dy");
      float[] values = new float[isOfRows ? rows * n : n];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) value(input, i);
      }
      CudaBench.write(of.plan().input(input), values);
    }
    of.plan().run(rows);
    List<float[]> results = new ArrayList<>();
    for (Node output : of.outputs()) {
      float[] values = new float[results.size() < 2 ? rows * n : n];
      of.plan().output(output).asFloatBuffer().get(0, values);
      results.add(values);
    }
    return results;
  }

  private double[][] reference() {
    double[][] all = {new double[rows * n], new double[rows * n], new double[n], new double[n]};
    for (int r = 0; r < rows; r++) {
      double mean = 0;
      double variance = 0;
      for (int i = 0; i < n; i++) {
        mean += value("x", r * n + i) / n;
      }
      for (int i = 0; i < n; i++) {
        variance += Math.pow(value("x", r * n + i) - mean, 2) / n;
      }
      double inverse = 1 / Math.sqrt(variance + EPSILON);
      double sum = 0;
      double product = 0;
      for (int i = 0; i < n; i++) {
        double hat = (value("x", r * n + i) - mean) * inverse;
        double dy = value("dy", r * n + i);
        double flow = dy * gamma(i);
        all[0][r * n + i] = hat * gamma(i) + (scaled ? value("beta", i) : 0);
        all[2][i] += dy * hat;
        all[3][i] += dy;
        sum += flow / n;
        product += flow * hat / n;
      }
      for (int i = 0; i < n; i++) {
        double hat = (value("x", r * n + i) - mean) * inverse;
        double flow = value("dy", r * n + i) * gamma(i);
        all[1][r * n + i] = (flow - sum - hat * product) * inverse;
      }
    }
    return all;
  }

  private double gamma(int i) {
    return scaled ? value("gamma", i) : 1;
  }

  /** Against float64. */
  void requireNear(List<float[]> actual) {
    double[][] expected = reference();
    assertThat(actual).hasSize(scaled ? 4 : 2);
    for (int i = 0; i < actual.size(); i++) {
      double most = DoubleStream.of(expected[i]).map(Math::abs).max().orElseThrow();
      boolean is16 = i < 2 && type != ElementType.FLOAT32; // rounded when it is stored
      double ulp = !is16 ? 1e-5 : type == ElementType.BFLOAT16 ? 1.0 / 256 : 1.0 / 2048;
      for (int j = 0; j < expected[i].length; j++) {
        assertThat((double) actual.get(i)[j])
            .as("%s, element %d of %s", RESULTS.get(i), j, this)
            .isCloseTo(expected[i][j], within(ulp * most));
      }
    }
  }
}
