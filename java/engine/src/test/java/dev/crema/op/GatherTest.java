package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.device.KernelException;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.plan.Plan;
import java.util.List;
import org.junit.jupiter.api.Test;

class GatherTest {
  @Test
  void rowsAreTakenByIndex() {
    OpCheck.of(new Gather(0))
        .input(Array64.gaussian(1, 9, 17))
        .data(Array64.integers(2, 9, 12), ElementType.INT32, true)
        .forwardOne(in -> Moved.of(in[0], at -> new int[] {index(in[1], at[0]), at[1]}, 12, 17))
        .tolerance(0, 2e-5)
        .run();
  }

  @Test
  void elementsOfTheLastAxisAreTakenByLongIndices() {
    OpCheck.of(new Gather(2))
        .batched(Array64.gaussian(1, 3, 2, 5))
        .data(Array64.integers(2, 5, 4, 2), ElementType.INT64, false)
        .forwardOne(
            in ->
                Moved.of(
                    in[0],
                    at -> new int[] {at[0], at[1], index(in[1], at[2] * 2 + at[3])},
                    3,
                    2,
                    4,
                    2))
        .tolerance(0, 2e-5)
        .run();
  }

  @Test
  void oneIndexTakesAnAxisAway() {
    OpCheck.of(new Gather(1))
        .batched(Array64.gaussian(1, 3, 6, 5))
        .data(new Array64(dev.crema.memory.Shape.of(), new double[] {4}), ElementType.INT32, false)
        .forwardOne(in -> Moved.of(in[0], at -> new int[] {at[0], 4, at[1]}, 3, 5))
        .tolerance(0, 2e-5)
        .run();
  }

  @Test
  void anIndexOutsideIsNamedWithItsLayer() {
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.of(5, 3));
    Node i = graph.input("i", TensorType.batchOf(ElementType.INT32));
    graph.beginLayer("lookup");
    Node y = x.then(new Gather(0), i);
    try (Plan plan = Plan.of(graph).outputs(y).capacity(4).build()) {
      plan.input("i").bytes(0, 16).asIntBuffer().put(new int[] {0, 4, -2, 9});
      plan.run(2);
      assertThatThrownBy(() -> plan.run(4))
          .isInstanceOf(KernelException.class)
          .hasMessage("lookup (Gather): index -2 at position 2 is outside [0, 5)");
    }
  }

  @Test
  void indicesMustBeWholeNumbers() {
    TensorType x = TensorType.of(5, 3);
    assertThatThrownBy(() -> new Gather(0).infer(List.of(x, x)))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("indices must be int32 or int64 but are [5, 3]");
  }

  private static int index(Array64 indices, int i) {
    return (int) indices.values()[i];
  }
}
