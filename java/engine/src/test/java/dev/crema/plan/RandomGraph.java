package dev.crema.plan;

import dev.crema.device.cpu.CpuDevice;
import dev.crema.graph.Application;
import dev.crema.graph.Assign;
import dev.crema.graph.Constant;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.op.Add;
import dev.crema.op.BroadcastTo;
import dev.crema.op.Concat;
import dev.crema.op.Mul;
import dev.crema.op.Relu;
import dev.crema.op.Reshape;
import dev.crema.op.Slice;
import dev.crema.op.Split;
import dev.crema.op.Transpose;
import dev.crema.pass.Autodiff;
import dev.crema.pass.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Graphs drawn at random for tests of plans and passes: element-wise ops, moves, reshapes of all
 * kinds of nodes, and writes to variables that overlap, between reads of them.
 */
public final class RandomGraph {
  private static final TensorType ROWS = TensorType.batchOf(6);
  private static final TensorType ROW = TensorType.of(6);
  private static final int STORAGE = 15;

  public final Graph graph = new Graph();
  public final List<Node> outputs = new ArrayList<>();
  private final Random random;
  private final List<Node> rows = new ArrayList<>();
  private final List<Node> vectors = new ArrayList<>();
  private final List<Node> variables = new ArrayList<>();

  public RandomGraph(long seed, int size) {
    random = new Random(seed);
    for (int i = 0; i < 3; i++) {
      rows.add(graph.input("x" + i, ROWS));
      Node v = graph.variable("v" + i, Storage.PARAMETERS, 4L * i, ROW); // they overlap
      variables.add(v);
      vectors.add(v);
    }
    vectors.add(graph.add(Constant.vector(1, -2, 0.5f, 0, 3, -1)));
    vectors.add(graph.constant(1));
    vectors.add(graph.constant(0));
    for (int i = 0; i < size; i++) {
      step();
    }
    chooseOutputs();
  }

  /** Gradients of the outputs that have the batch as further outputs. */
  public RandomGraph withGradients() {
    List<Node> of = outputs.stream().filter(y -> y.type().equals(ROWS)).toList();
    if (!of.isEmpty()) {
      List<Node> wrt = rows.subList(0, 3);
      outputs.addAll(Autodiff.gradients(of, of, wrt).values());
    }
    return this;
  }

  private void step() {
    switch (random.nextInt(14)) {
      case 0, 1, 2 -> rows.add(any(rows).then(new Add(), any(rows)));
      case 3, 4 -> rows.add(any(rows).then(new Mul(), any(rows)));
      case 5 -> rows.add(any(rows).then(new Relu()));
      case 6 -> rows.add(any(rows).then(new Relu()).then(new Mul(), any(rows)));
      case 7 ->
          rows.add(any(rows).then(random.nextBoolean() ? new Add() : new Mul(), any(vectors)));
      case 8 -> rows.add(any(vectors).then(new BroadcastTo(ROWS)));
      case 9 -> turn();
      case 10 -> cut();
      case 11 -> vectors.add(any(vectors).then(new Add(), any(vectors)));
      case 12 -> alias();
      default -> write();
    }
  }

  private void turn() {
    Node y = any(rows).then(new Reshape(TensorType.batchOf(2, 3))).then(Transpose.of(0, 2, 1));
    if (random.nextBoolean()) {
      y = y.then(Transpose.of(0, 2, 1));
    }
    rows.add(y.then(new Reshape(ROWS)));
  }

  private void cut() {
    if (random.nextBoolean()) {
      Application parts = graph.apply(Split.of(1, 2, 4), any(rows));
      rows.add(parts.output(1).then(new Concat(1), parts.output(0)));
    } else {
      Node part = any(rows).then(Slice.axis(2, 1, 1, 4));
      rows.add(part.then(new Concat(1), part));
    }
  }

  /** Another name for a vector's memory; the vector may be a variable. */
  private void alias() {
    Node x = any(vectors);
    if (x.type().equals(ROW)) {
      vectors.add(x.then(new Reshape(TensorType.of(3, 2))).then(new Reshape(ROW)));
    }
  }

  private void write() {
    Node value = any(vectors);
    if (value.type().equals(ROW)) {
      graph.apply(new Assign(random.nextBoolean()), any(variables), value);
    }
  }

  private void chooseOutputs() {
    List<Node> all = new ArrayList<>(rows);
    all.addAll(vectors);
    for (int i = 0; i < 4; i++) {
      outputs.add(any(all));
    }
    outputs.add(rows.get(rows.size() - 1));
  }

  private Node any(List<Node> nodes) {
    return nodes.get(random.nextInt(nodes.size()));
  }

  /** Runs it twice on a device; the outputs and the variables at the end. */
  public List<float[]> run(CpuDevice device, List<Pass> passes, boolean reuse, int threads) {
    List<float[]> results = new ArrayList<>();
    try (Buffer storage = Buffer.allocate(4L * STORAGE);
        Plan plan =
            Plan.of(graph)
                .outputs(outputs.toArray(new Node[0]))
                .capacity(7)
                .device(device)
                .threads(threads)
                .storage(Storage.PARAMETERS, storage)
                .passes(passes)
                .reuse(reuse)
                .build()) {
      Random values = new Random(3);
      for (int i = 0; i < STORAGE; i++) {
        storage.bytes(0, 4 * STORAGE).asFloatBuffer().put(i, values.nextInt(9) - 4);
      }
      for (String name : plan.inputs()) {
        for (int i = 0; i < 42; i++) {
          plan.input(name).bytes(0, 168).asFloatBuffer().put(i, values.nextInt(9) - 4);
        }
      }
      for (int batch = 5; batch <= 7; batch += 2) {
        plan.run(batch);
        for (Node output : outputs) {
          float[] y = new float[(int) output.type().at(batch).elements()];
          plan.output(output).asFloatBuffer().get(y);
          results.add(y);
        }
      }
      float[] variables = new float[STORAGE];
      storage.bytes(0, 4 * STORAGE).asFloatBuffer().get(variables);
      results.add(variables);
    }
    for (float[] y : results) {
      for (int i = 0; i < y.length; i++) {
        y[i] += 0f; // -0 and 0 are the same here
      }
    }
    return results;
  }
}
