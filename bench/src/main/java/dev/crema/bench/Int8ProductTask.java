package dev.crema.bench;

import dev.crema.graph.Application;
import dev.crema.graph.Constant;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.op.FusedActivation;
import dev.crema.op.PackQuantized;
import dev.crema.op.QuantizationParameters;
import dev.crema.op.QuantizedLinear;
import dev.crema.pass.Computation;
import dev.crema.plan.Plan;
import dev.crema.plan.Prepared;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;

/** A product of bytes as a plan of Crema; the weights are packed before the first run. */
final class Int8ProductTask implements Task {
  private final int rows;
  private final Buffer kernel;
  private final Plan plan;
  private final ByteBuffer y;

  Int8ProductTask(Problem.Int8Product p, int threads) {
    this.rows = p.m();
    QuantizationParameters one = new QuantizationParameters(1, 0);
    Graph graph = new Graph();
    TensorType batch = TensorType.batchOf(p.k()).withElement(ElementType.UINT8);
    Node x = graph.input("x", batch);
    Node w = graph.variable("w", Storage.PARAMETERS, 0, TensorType.of(p.k(), p.n()));
    Node packed =
        graph.variable("packed", Storage.PREPARED, 0, PackQuantized.typeOf(p.k(), p.k(), p.n()));
    float[] scales = new float[p.n()];
    Arrays.fill(scales, Problem.Int8Product.SCALE);
    Node s = graph.add(new Constant(scales, TensorType.of(p.n())));
    Application pack = graph.apply(new PackQuantized(one, one, p.k()), packed, w, s, null);
    Node result = x.then(new QuantizedLinear(p.n(), FusedActivation.RELU, one), packed);
    this.kernel = Buffer.allocate(4L * p.k() * p.n());
    // Borrowed: while a user's view can be reached, a plan packs at each run.
    FloatBuffer values = kernel.borrow(0, 4 * p.k() * p.n()).asFloatBuffer();
    for (byte b : p.w()) {
      values.put(b * Problem.Int8Product.SCALE);
    }
    kernel.changed();
    this.plan =
        Plan.of(graph)
            .outputs(result)
            .capacity(rows)
            .threads(threads)
            .storage(Storage.PARAMETERS, kernel)
            .sections(a -> a == pack ? Computation.PREPARE : Plan.ALL)
            .passes(List.of())
            .prepared(new Prepared())
            .build();
    plan.input("x").borrow(0, p.m() * p.k()).put(p.x());
    this.y = plan.output(result);
  }

  @Override
  public float[] check() {
    run();
    float[] values = new float[y.capacity()];
    for (int i = 0; i < values.length; i++) {
      values[i] = y.get(i) & 255;
    }
    return values;
  }

  @Override
  public void run() {
    plan.run(rows);
  }

  @Override
  public void close() {
    plan.close();
    kernel.close();
  }
}
