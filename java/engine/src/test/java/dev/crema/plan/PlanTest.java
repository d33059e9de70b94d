package dev.crema.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.graph.Assign;
import dev.crema.graph.Constant;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.op.Add;
import dev.crema.op.Mul;
import dev.crema.op.Relu;
import dev.crema.op.Reshape;
import dev.crema.op.Transpose;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.Collections;
import org.junit.jupiter.api.Test;

class PlanTest {
  private final Graph graph = new Graph();
  private final Node x = graph.input("x", TensorType.batchOf(2));

  @Test
  void anOutputMayBeAnInputAVariableAConstantOrAReshapeOfThem() {
    Node v = graph.variable("v", Storage.PARAMETERS, 1, TensorType.of(2));
    Node c = graph.add(Constant.vector(5, 6));
    Node column = v.then(new Reshape(TensorType.of(2, 1)));
    Node pairs = x.then(new Reshape(TensorType.batchOf(2, 1)));
    try (Buffer storage = Buffer.allocate(12);
        Plan plan =
            Plan.of(graph)
                .outputs(x, v, c, column, pairs, v)
                .storage(Storage.PARAMETERS, storage)
                .capacity(3)
                .build()) {
      storage.bytes(0, 12).asFloatBuffer().put(new float[] {7, 8, 9});
      plan.input("x").bytes(0, 24).asFloatBuffer().put(new float[] {1, 2, 3, 4});
      plan.run(2);
      assertThat(read(plan, x, 4)).containsExactly(1, 2, 3, 4);
      assertThat(read(plan, pairs, 4)).containsExactly(1, 2, 3, 4);
      assertThat(read(plan, v, 2)).containsExactly(8, 9);
      assertThat(read(plan, column, 2)).containsExactly(8, 9);
      assertThat(read(plan, c, 2)).containsExactly(5, 6);
    }
  }

  @Test
  void anOutputThatIsAnInputFollowsItsMemory() {
    try (Buffer other = Buffer.allocate(8);
        Plan plan = Plan.of(graph).outputs(x, x.then(new Relu())).capacity(1).build()) {
      other.bytes(0, 8).asFloatBuffer().put(new float[] {3, 4});
      plan.bindInput("x", other);
      plan.run(1);
      assertThat(read(plan, x, 2)).containsExactly(3, 4);
    }
  }

  @Test
  void valuesThatPassesMergeAreReadByBothNames() {
    Node a = x.then(new Relu());
    Node b = x.then(new Relu());
    Node same = a.then(new Mul(), graph.constant(1));
    try (Plan plan = Plan.of(graph).outputs(a, b, same).capacity(1).build()) {
      plan.input("x").bytes(0, 8).asFloatBuffer().put(new float[] {-1, 2});
      plan.run(1);
      assertThat(plan.instructions()).hasSize(1);
      for (Node y : new Node[] {a, b, same}) {
        assertThat(read(plan, y, 2)).containsExactly(0, 2);
      }
    }
  }

  @Test
  void writesAndReadsOfAVariableKeepTheirOrder() {
    Node v = graph.variable("v", Storage.PARAMETERS, 0, TensorType.of(2));
    Node before = v.then(new Add(), graph.constant(1));
    graph.apply(new Assign(false), v, v.then(new Mul(), graph.constant(10)));
    Node after = v.then(new Add(), graph.constant(1));
    graph.apply(new Assign(true), v, before);
    try (Buffer storage = Buffer.allocate(8);
        Plan plan =
            Plan.of(graph).outputs(before, after).storage(Storage.PARAMETERS, storage).build()) {
      storage.bytes(0, 8).asFloatBuffer().put(new float[] {1, 2});
      plan.run(1);
      assertThat(read(plan, before, 2)).containsExactly(2, 3);
      assertThat(read(plan, after, 2)).containsExactly(11, 21);
      float[] end = new float[2];
      storage.bytes(0, 8).asFloatBuffer().get(end);
      assertThat(end).containsExactly(12, 23);
    }
  }

  @Test
  void anEmptyBatchRuns() {
    try (Plan plan = Plan.of(graph).outputs(x.then(new Relu())).capacity(4).build()) {
      plan.run(0);
    }
  }

  @Test
  void memoryOfALongChainDoesNotGrowWithItsLength() {
    Node y = x;
    for (int i = 0; i < 50; i++) {
      y = y.then(new Reshape(TensorType.batchOf(2, 1))).then(Transpose.of(0, 2, 1));
      y = y.then(new Reshape(TensorType.batchOf(2))).then(new Relu());
    }
    Plan.Builder builder = Plan.of(graph).outputs(y).capacity(16).passes(Collections.emptyList());
    try (Plan plan = builder.build()) {
      assertThat(plan.arenaBytes()).isEqualTo(2 * 128);
    }
  }

  @Test
  void thousandsOfOpsArePlannedInAMoment() {
    Node y = x;
    Node first = x.then(new Relu());
    for (int i = 0; i < 5000; i++) {
      Node v = graph.variable("v" + i, Storage.PARAMETERS, 2L * i, TensorType.of(2));
      y = i % 3 == 0 ? y.then(Transpose.of(1, 0)).then(Transpose.of(1, 0)) : y.then(new Relu());
      y = y.then(new Add(), i % 2 == 0 ? v : first);
      graph.apply(new Assign(false), v, v.then(new Mul(), v));
    }
    Node end = y;
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    try (Buffer storage = Buffer.allocate(40_000)) {
      long start = threads.getCurrentThreadCpuTime(); // not of the other work on this machine
      Plan.of(graph).outputs(end).storage(Storage.PARAMETERS, storage).build().close();
      assertThat(Duration.ofNanos(threads.getCurrentThreadCpuTime() - start))
          .isLessThan(Duration.ofSeconds(5));
    }
  }

  @Test
  void anOutputTooBigToViewIsRefused() {
    Node wide = graph.input("wide", TensorType.batchOf(1 << 20)).then(new Relu());
    assertThatThrownBy(() -> Plan.of(graph).outputs(wide).capacity(600).build())
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("has 2,516,582,400 bytes for 600 examples")
        .hasMessageContaining("Lower the capacity");
  }

  @Test
  void anOutputOfAnotherGraphIsRefused() {
    Node foreign = new Graph().input("z", TensorType.batchOf(1)).then(new Relu());
    assertThatThrownBy(() -> Plan.of(graph).outputs(foreign).build())
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("belongs to another graph");
  }

  private static float[] read(Plan plan, Node node, int count) {
    float[] y = new float[count];
    plan.output(node).asFloatBuffer().get(y);
    return y;
  }
}
