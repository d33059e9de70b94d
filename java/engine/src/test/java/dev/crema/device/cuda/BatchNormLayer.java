package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.crema.device.Device;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.op.BatchNorm;
import dev.crema.op.Cast;
import dev.crema.pass.Autodiff;
import dev.crema.plan.Plan;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;

/**
 * Batch normalisation as in training with its gradients, and the same in float64.
 *
 * @param extents of an example, channels last
 */
record BatchNormLayer(ElementType type, boolean scaled, int examples, List<Integer> extents) {
  private static final double EPSILON = 1e-3;
  private static final double MOMENTUM = 0.25;
  private static final float MEAN = 2; // of the running statistics before
  private static final float VARIANCE = 3;
  private static final List<String> RESULTS =
      List.of("y", "dx", "running mean", "running variance", "dgamma", "dbeta");

  static BatchNormLayer of(ElementType type, int examples, Integer... extents) {
    return new BatchNormLayer(type, true, examples, List.of(extents));
  }

  /** A plan with its outputs: y, dx, and dgamma and dbeta if it is scaled. */
  record Running(Plan plan, List<Node> outputs, Buffer state) implements NearCards.Running {
    @Override
    public void close() {
      plan.close();
      state.close();
    }
  }

  private int channels() {
    return extents.get(extents.size() - 1);
  }

  private int rows(int batch) {
    return batch * extents.stream().reduce(1, (a, b) -> a * b) / channels();
  }

  private int place(int variable) {
    return (channels() + 15) / 16 * 16 * variable;
  }

  Running plan(Device device) {
    Graph graph = new Graph();
    TensorType images =
        TensorType.batchOf(extents.stream().mapToLong(Integer::longValue).toArray());
    TensorType ofChannels = TensorType.of(channels());
    Node x = graph.input("x", images).then(new Cast(type));
    Node dy = graph.input("dy", images).then(new Cast(type));
    Node gamma = scaled ? graph.input("gamma", ofChannels) : null;
    Node beta = scaled ? graph.input("beta", ofChannels) : null;
    Node mean = graph.variable("mean", Storage.STATE, place(0), ofChannels);
    Node variance = graph.variable("variance", Storage.STATE, place(1), ofChannels);
    graph.beginLayer("norm");
    Node y = x.then(new BatchNorm(EPSILON, MOMENTUM), gamma, beta, mean, variance);
    graph.endLayer();
    List<Node> of = scaled ? List.of(x, gamma, beta) : List.of(x);
    Map<Node, Node> d = Autodiff.gradients(List.of(y), List.of(dy), of);
    List<Node> outputs = new ArrayList<>();
    outputs.add(y.then(new Cast(ElementType.FLOAT32)));
    of.forEach(each -> outputs.add(d.get(each).then(new Cast(ElementType.FLOAT32))));
    Buffer state = Buffer.allocate(4L * place(2));
    Plan plan =
        Plan.of(graph)
            .outputs(outputs.toArray(Node[]::new))
            .capacity(examples)
            .device(device)
            .storage(Storage.STATE, state)
            .build();
    return new Running(plan, outputs, state);
  }

  /** Multiples of 1/8, which every type holds; seeds are the lengths of the inputs' names. */
  private static double value(String input, int i) {
    return ((i * 37 + i / 31 * 5 + input.length() * 11) % 31 - 14) / 8.0;
  }

  private static float[] values(String input, int count) {
    float[] all = new float[count];
    for (int i = 0; i < count; i++) {
      all[i] = (float) value(input, i);
    }
    return all;
  }

  /** y, dx, running mean and variance, dgamma and dbeta, from statistics that are as at first. */
  List<float[]> run(Running of, int batch) {
    return run(of, batch, values("x", rows(batch) * channels()));
  }

  List<float[]> run(Running of, int batch, float[] x) {
    FloatBuffer before = of.state().borrow(0, (int) of.state().byteSize()).asFloatBuffer();
    for (int i = 0; i < channels(); i++) {
      before.put(place(0) + i, MEAN).put(place(1) + i, VARIANCE);
    }
    of.state().changed();
    CudaBench.write(of.plan().input("x"), x);
    CudaBench.write(of.plan().input("dy"), values("dy", x.length));
    if (scaled) {
      CudaBench.write(of.plan().input("gamma"), values("gamma", channels()));
      CudaBench.write(of.plan().input("beta"), values("beta", channels()));
    }
    of.plan().run(batch);
    List<float[]> results = new ArrayList<>();
    for (int i = 0; i < of.outputs().size(); i++) {
      float[] values = new float[i < 2 ? x.length : channels()];
      of.plan().output(of.outputs().get(i)).asFloatBuffer().get(0, values);
      results.add(values);
    }
    FloatBuffer state = of.state().borrow(0, (int) of.state().byteSize()).asFloatBuffer();
    for (int variable = 0; variable < 2; variable++) {
      float[] values = new float[channels()];
      state.get(place(variable), values);
      results.add(2 + variable, values);
    }
    return results;
  }

  private List<double[]> reference(int batch) {
    int n = channels();
    int rows = rows(batch);
    double[] y = new double[rows * n];
    double[] dx = new double[rows * n];
    double[][] ofChannels = new double[4][n];
    for (int c = 0; c < n; c++) {
      double mean = 0;
      double variance = 0;
      double dgamma = 0;
      double dbeta = 0;
      for (int i = c; i < rows * n; i += n) {
        mean += value("x", i) / rows;
      }
      for (int i = c; i < rows * n; i += n) {
        variance += Math.pow(value("x", i) - mean, 2) / rows;
      }
      double inverse = 1 / Math.sqrt(variance + EPSILON);
      double gamma = scaled ? value("gamma", c) : 1;
      for (int i = c; i < rows * n; i += n) {
        double hat = (value("x", i) - mean) * inverse;
        y[i] = hat * gamma + (scaled ? value("beta", c) : 0);
        dgamma += value("dy", i) * hat;
        dbeta += value("dy", i);
      }
      for (int i = c; i < rows * n; i += n) {
        double hat = (value("x", i) - mean) * inverse;
        dx[i] = (value("dy", i) - dbeta / rows - hat * dgamma / rows) * inverse * gamma;
      }
      double unbiased = rows > 1 ? variance * rows / (rows - 1) : variance;
      ofChannels[0][c] = MEAN + MOMENTUM * (mean - MEAN);
      ofChannels[1][c] = VARIANCE + MOMENTUM * (unbiased - VARIANCE);
      ofChannels[2][c] = dgamma;
      ofChannels[3][c] = dbeta;
    }
    List<double[]> all = new ArrayList<>(List.of(y, dx));
    all.addAll(Arrays.asList(ofChannels).subList(0, scaled ? 4 : 2));
    return all;
  }

  /** Of the first examples, against float64. */
  void requireNear(List<float[]> actual, int batch) {
    List<double[]> expected = reference(batch);
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < expected.size(); i++) {
      double most = DoubleStream.of(expected.get(i)).map(Math::abs).max().orElseThrow();
      boolean is16 = i < 2 && type != ElementType.FLOAT32; // rounded when it is stored
      double ulp = !is16 ? 1e-5 : type == ElementType.BFLOAT16 ? 1.0 / 256 : 1.0 / 2048;
      for (int j = 0; j < expected.get(i).length; j++) {
        assertThat((double) actual.get(i)[j])
            .as("%s, element %d of %s", RESULTS.get(i), j, this)
            .isCloseTo(expected.get(i)[j], within(ulp * Math.max(most, 1)));
      }
    }
  }
}
