package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.device.Device;
import dev.crema.device.cpu.CpuDevice;
import dev.crema.graph.Dim;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.natives.Crema;
import dev.crema.pass.Autodiff;
import dev.crema.plan.Plan;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Checks an op, or a small graph, on every instruction set of this machine, on one thread and on
 * two, on the CUDA device with emulated kernels and on real cards, with memory poisoned: forward
 * against a float64 reference, gradients against central differences of that reference. Inputs
 * marked batched have the symbolic batch as their first axis; the plan's capacity is larger than
 * the batch.
 *
 * <p>Errors are relative to the largest magnitude in the expected array (or to {@code scale}).
 */
public final class OpCheck {
  private record In(Array64 values, ElementType element, boolean batched, boolean differentiable) {}

  private final Function<Node[], Node[]> build;
  private final List<In> inputs = new ArrayList<>();
  private Function<Array64[], Array64[]> reference;
  private double forwardTolerance = 2e-6;
  private double gradientTolerance = 2e-5;
  private boolean checkGradient = true;
  private double step = 1e-5;

  private OpCheck(Function<Node[], Node[]> build) {
    this.build = build;
  }

  /** One op; all its outputs are checked unless the reference gives fewer. */
  public static OpCheck of(Op op) {
    return new OpCheck(in -> in[0].graph().apply(op, in).outputs().toArray(new Node[0]));
  }

  /** A graph built from the inputs. */
  public static OpCheck graph(Function<Node[], Node> build) {
    return new OpCheck(in -> new Node[] {build.apply(in)});
  }

  /** A graph with several outputs built from the inputs. */
  public static OpCheck outputs(Function<Node[], Node[]> build) {
    return new OpCheck(build);
  }

  /** A float32 input of constant shape, differentiated. */
  public OpCheck input(Array64 values) {
    inputs.add(new In(values, ElementType.FLOAT32, false, true));
    return this;
  }

  /** A float32 input whose first axis is the batch, differentiated. */
  public OpCheck batched(Array64 values) {
    inputs.add(new In(values, ElementType.FLOAT32, true, true));
    return this;
  }

  /** An input of any type that has no gradient. */
  public OpCheck data(Array64 values, ElementType element, boolean batched) {
    inputs.add(new In(values, element, batched, false));
    return this;
  }

  /** The float64 reference: inputs to outputs. */
  public OpCheck forward(Function<Array64[], Array64[]> function) {
    reference = function;
    return this;
  }

  public OpCheck forwardOne(Function<Array64[], Array64> function) {
    return forward(in -> new Array64[] {function.apply(in)});
  }

  public OpCheck tolerance(double forward, double gradient) {
    forwardTolerance = forward;
    gradientTolerance = gradient;
    return this;
  }

  public OpCheck withoutGradient() {
    checkGradient = false;
    return this;
  }

  /** Step of the central differences; 1e-5 by default. */
  public OpCheck step(double h) {
    step = h;
    return this;
  }

  public void run() {
    Array64[] values = inputs.stream().map(In::values).toArray(Array64[]::new);
    Array64[] expected = reference.apply(values);
    List<Array64> weights = new ArrayList<>();
    for (int i = 0; i < expected.length; i++) {
      weights.add(Array64.gaussian(77 + i, expected[i].shape().dims()));
    }
    Array64[] gradients = checkGradient ? differences(values, weights) : new Array64[0];
    Crema.crema_poison(1);
    try {
      for (CpuDevice device : CpuDevice.levels()) {
        for (int threads = 1; threads <= 2; threads++) {
          on(device, threads, expected, weights, gradients);
        }
      }
      EveryDevice.cards(device -> on(device, 1, expected, weights, gradients));
    } finally {
      Crema.crema_poison(0);
    }
  }

  private void on(
      Device device, int threads, Array64[] expected, List<Array64> weights, Array64[] gradients) {
    String where = device + ", " + threads + " threads: ";
    long batch =
        inputs.stream().filter(In::batched).mapToLong(in -> in.values.dim(0)).findFirst().orElse(1);
    Graph graph = new Graph();
    List<Node> ins = new ArrayList<>();
    for (int i = 0; i < inputs.size(); i++) {
      ins.add(graph.input("in" + i, type(inputs.get(i))));
    }
    Node[] outs = build.apply(ins.toArray(new Node[0]));
    List<Node> results = new ArrayList<>();
    for (int i = 0; i < expected.length; i++) {
      results.add(outs[i]);
      assertThat(outs[i].type().at(batch))
          .as(where + "shape of output " + i)
          .isEqualTo(expected[i].shape());
    }
    List<Node> wrt = new ArrayList<>();
    for (int i = 0; i < inputs.size(); i++) {
      if (inputs.get(i).differentiable) {
        wrt.add(ins.get(i));
      }
    }
    Map<Node, Node> flows = Map.of();
    if (checkGradient) {
      // The gradient of Σ outputs · weights, which has the weights as its gradient in the outputs.
      List<Node> seeds = new ArrayList<>();
      for (int i = 0; i < expected.length; i++) {
        seeds.add(graph.input("weights" + i, results.get(i).type()));
      }
      flows = Autodiff.gradients(List.copyOf(results), seeds, wrt);
      for (Node x : wrt) {
        assertThat(flows).as(where + "gradient of input " + ins.indexOf(x)).containsKey(x);
        results.add(flows.get(x));
      }
    }
    try (Plan plan =
        Plan.of(graph)
            .outputs(results.toArray(new Node[0]))
            .capacity(batch + 3)
            .threads(threads)
            .device(device)
            .build()) {
      for (String name : plan.inputs()) {
        int i = Integer.parseInt(name.replaceAll("\\D", ""));
        boolean weight = name.startsWith("weights");
        fill(
            plan.input(name),
            weight ? weights.get(i) : inputs.get(i).values,
            weight ? ElementType.FLOAT32 : inputs.get(i).element);
      }
      plan.run(batch);
      for (int i = 0; i < expected.length; i++) {
        compare(
            where + "output " + i,
            plan.output(results.get(i)),
            results.get(i).type(),
            expected[i],
            forwardTolerance);
      }
      for (int i = 0; i < gradients.length; i++) {
        Node g = results.get(expected.length + i);
        compare(
            where + "gradient of input " + ins.indexOf(wrt.get(i)),
            plan.output(g),
            g.type(),
            gradients[i],
            gradientTolerance);
      }
    }
  }

  private static TensorType type(In in) {
    TensorType type = TensorType.of(in.element, in.values.shape().dims());
    return in.batched ? type.withDim(0, Dim.BATCH) : type;
  }

  private Array64[] differences(Array64[] values, List<Array64> weights) {
    List<Array64> result = new ArrayList<>();
    for (int i = 0; i < inputs.size(); i++) {
      if (!inputs.get(i).differentiable) {
        continue;
      }
      Array64 gradient = Array64.zeros(values[i].shape().dims());
      for (int k = 0; k < gradient.size(); k++) {
        double x = values[i].values()[k];
        double h = step * Math.max(1, Math.abs(x));
        gradient.values()[k] =
            (moved(values, i, k, x + h, weights) - moved(values, i, k, x - h, weights)) / (2 * h);
      }
      result.add(gradient);
    }
    return result.toArray(new Array64[0]);
  }

  private double moved(Array64[] values, int input, int element, double x, List<Array64> weights) {
    Array64[] copy = values.clone();
    copy[input] = values[input].copy();
    copy[input].values()[element] = x;
    Array64[] out = reference.apply(copy);
    double sum = 0;
    for (int o = 0; o < out.length; o++) {
      for (int i = 0; i < out[o].size(); i++) {
        sum += out[o].values()[i] * weights.get(o).values()[i];
      }
    }
    return sum;
  }

  static void fill(Buffer buffer, Array64 values, ElementType element) {
    ByteBuffer bytes =
        buffer.borrow(0, values.size() * element.byteSize()).order(ByteOrder.nativeOrder());
    for (double v : values.values()) {
      switch (element) {
        case FLOAT32 -> bytes.putFloat((float) v);
        case INT32 -> bytes.putInt((int) v);
        case INT64 -> bytes.putLong((long) v);
        case INT8, UINT8, BOOL -> bytes.put((byte) (int) v);
        default -> throw new IllegalArgumentException("No test data of type " + element);
      }
    }
  }

  private static void compare(
      String what, ByteBuffer actual, TensorType type, Array64 expected, double tolerance) {
    ByteBuffer bytes = actual.duplicate().order(ByteOrder.nativeOrder());
    double scale = 1e-6; // differences of a reference that is 0 are not quite 0
    for (double v : expected.values()) {
      if (!Double.isNaN(v) && !Double.isInfinite(v)) {
        scale = Math.max(scale, Math.abs(v));
      }
    }
    for (int i = 0; i < expected.size(); i++) {
      double a =
          switch (type.element()) {
            case FLOAT32 -> bytes.getFloat(4 * i);
            case INT32 -> bytes.getInt(4 * i);
            case INT64 -> bytes.getLong(8 * i);
            default -> bytes.get(i);
          };
      double e = expected.values()[i];
      boolean same =
          Double.isNaN(e) ? Double.isNaN(a) : a == e || Math.abs(a - e) <= tolerance * scale;
      if (!same) {
        throw new AssertionError(
            String.format(
                "%s %s, element %d: expected %.9g, got %.9g (allowed %.2g of %.3g)",
                what, expected.shape(), i, e, a, tolerance, scale));
      }
    }
  }
}
