package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.device.KernelException;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.plan.Plan;
import org.junit.jupiter.api.Test;

class EmbeddingTest {
  @Test
  void rowsOfATableStandForIds() {
    check(new Embedding(), ElementType.INT32, 7, 5, 3, 4);
    check(new Embedding(), ElementType.INT64, 11, 70, 2, 9);
    check(new Embedding(), ElementType.INT32, 1, 1, 1, 1);
  }

  @Test
  void paddingReadsAsZerosAndGetsNoGradient() {
    check(new Embedding(2), ElementType.INT32, 4, 17, 5, 6);
  }

  @Test
  void anIdOutsideTheTableIsNamedWithItsLayer() {
    Graph graph = new Graph();
    Node ids = graph.input("ids", TensorType.batchOf(ElementType.INT32, 2));
    Node table = graph.input("table", TensorType.of(10, 3));
    graph.beginLayer("words");
    Node y = ids.then(new Embedding(), table);
    try (Plan plan = Plan.of(graph).outputs(y).capacity(2).build()) {
      plan.input("ids").bytes(0, 16).asIntBuffer().put(new int[] {0, 9, 10, 3});
      plan.run(1);
      assertThatThrownBy(() -> plan.run(2))
          .isInstanceOf(KernelException.class)
          .hasMessage("words (Embedding): index 10 at position 2 is outside [0, 10)");
    }
  }

  private static void check(Embedding op, ElementType type, int v, int d, int n, int t) {
    OpCheck.of(op)
        .data(Array64.integers(3, v, n, t), type, true)
        .input(Array64.gaussian(4, v, d))
        .forwardOne(
            in ->
                Moved.of(
                    in[1],
                    0,
                    at -> {
                      int id = (int) in[0].values()[at[0] * t + at[1]];
                      return id == op.padding() ? null : new int[] {id, at[2]};
                    },
                    n,
                    t,
                    d))
        .tolerance(0, 2e-5)
        .run();
  }
}
