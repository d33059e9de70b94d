package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.device.Device;
import dev.crema.graph.Application;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.op.Gru;
import dev.crema.op.GruGrad;
import dev.crema.op.Lstm;
import dev.crema.op.LstmGrad;
import dev.crema.plan.Plan;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.assertj.core.data.Offset;

/** A recurrent layer or its gradient, with what may be absent or without it. */
record RecurrentProgram(Graph graph, List<Node> results, Buffer parameters, int examples)
    implements AutoCloseable {
  /** Extents. */
  record Size(int examples, int steps, int features, int units) {}

  static RecurrentProgram of(boolean lstm, boolean gradient, boolean whole, Size size) {
    Graph graph = new Graph();
    int width = (lstm ? 4 : 3) * size.units();
    Node x = graph.input("x", TensorType.batchOf(size.steps(), size.features()));
    Node w = graph.variable("w", Storage.PARAMETERS, 0, TensorType.of(size.features(), width));
    int at = size.features() * width;
    Node r = graph.variable("r", Storage.PARAMETERS, at, TensorType.of(size.units(), width));
    at += size.units() * width;
    Node b = null;
    Node c = null;
    Node h0 = null;
    Node c0 = null;
    if (whole) {
      b = graph.variable("b", Storage.PARAMETERS, at, TensorType.of(width));
      c = graph.variable("c", Storage.PARAMETERS, at + width, TensorType.of(width));
      h0 = graph.input("h0", TensorType.batchOf(size.units()));
      c0 = graph.input("c0", TensorType.batchOf(size.units()));
    }
    graph.beginLayer("memory");
    Op op = lstm ? new Lstm() : new Gru();
    Application y = lstm ? graph.apply(op, x, w, r, b, h0, c0) : graph.apply(op, x, w, r, b, c, h0);
    List<Node> results = new ArrayList<>();
    if (gradient) {
      Node dy = whole ? graph.input("dy", TensorType.batchOf(size.steps(), size.units())) : null;
      Node dh = graph.input("dh", TensorType.batchOf(size.units()));
      Node dc = whole ? graph.input("dc", TensorType.batchOf(size.units())) : null;
      Application d =
          lstm
              ? graph.apply(
                  new LstmGrad(),
                  x,
                  w,
                  r,
                  h0,
                  c0,
                  y.output(0),
                  y.output(3),
                  y.output(4),
                  dy,
                  dh,
                  dc,
                  b)
              : graph.apply(
                  new GruGrad(), x, w, r, h0, y.output(0), y.output(2), y.output(3), dy, dh, b, c);
      for (int i = 0; i < 6; i++) {
        results.add(d.output(i));
      }
    } else {
      results.add(y.output(0));
      results.add(y.output(1));
      if (lstm) {
        results.add(y.output(2));
      }
    }
    graph.endLayer();
    Buffer parameters = Buffer.allocate(4L * (at + 2 * width));
    fill(
        parameters, 1, 1 / Math.sqrt(size.units())); // so that errors do not grow from step to step
    return new RecurrentProgram(graph, results, parameters, size.examples());
  }

  Plan plan(Device device) {
    return Plan.of(graph)
        .outputs(results.toArray(Node[]::new))
        .capacity(examples)
        .storage(Storage.PARAMETERS, parameters)
        .passes(List.of())
        .device(device)
        .build();
  }

  List<float[]> run(Plan plan) {
    int seed = 2;
    for (String input : plan.inputs()) {
      fill(plan.input(input), seed++, 1);
    }
    plan.run(examples);
    List<float[]> all = new ArrayList<>();
    for (Node each : results) {
      FloatBuffer values = plan.output(each).asFloatBuffer();
      float[] copy = new float[values.remaining()];
      values.get(copy);
      all.add(copy);
    }
    return all;
  }

  List<float[]> onTheCpu() {
    try (Plan plan = plan(Device.cpu())) {
      return run(plan);
    }
  }

  private static void fill(Buffer buffer, int seed, double deviation) {
    Random random = new Random(seed);
    int count = (int) (buffer.byteSize() / 4);
    FloatBuffer floats = buffer.borrow(0, 4 * count).asFloatBuffer();
    for (int i = 0; i < count; i++) {
      floats.put(i, (float) (deviation * random.nextGaussian()));
    }
    buffer.changed();
  }

  @Override
  public void close() {
    parameters.close();
  }

  /**
   * Requires numbers that are right but for rounding.
   *
   * @param share of a number, and of 1
   */
  static void requireNear(List<float[]> actual, List<float[]> expected, float share) {
    for (int i = 0; i < expected.size(); i++) {
      for (int j = 0; j < expected.get(i).length; j++) {
        float right = expected.get(i)[j];
        assertThat(actual.get(i)[j])
            .as("result %d, element %d", i, j)
            .isCloseTo(right, Offset.offset(share * (1 + Math.abs(right))));
      }
    }
  }
}
