package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConcatTest {
  @Test
  void threeTensorsAreJoinedAlongTheLastAxis() {
    OpCheck.of(new Concat(1))
        .batched(Array64.gaussian(1, 5, 1))
        .batched(Array64.gaussian(2, 5, 17))
        .batched(Array64.gaussian(3, 5, 4))
        .forwardOne(in -> join(in, 1, 5, 22))
        .tolerance(0, 2e-5)
        .run();
  }

  @Test
  void tensorsAreJoinedAlongAMiddleAxis() {
    OpCheck.of(new Concat(1))
        .batched(Array64.gaussian(1, 3, 2, 5))
        .batched(Array64.gaussian(2, 3, 3, 5))
        .forwardOne(in -> join(in, 1, 3, 5, 5))
        .tolerance(0, 2e-5)
        .run();
  }

  @Test
  void tensorsAreJoinedAlongTheBatch() {
    OpCheck.of(new Concat(0))
        .batched(Array64.gaussian(1, 3, 5))
        .batched(Array64.gaussian(2, 3, 5))
        .input(Array64.gaussian(3, 2, 5))
        .forwardOne(in -> join(in, 0, 8, 5))
        .tolerance(0, 2e-5)
        .run();
  }

  @Test
  void oneTensorIsItself() {
    OpCheck.of(new Concat(0))
        .input(Array64.gaussian(1, 7))
        .forwardOne(in -> in[0])
        .tolerance(0, 2e-5)
        .run();
  }

  @Test
  void extentsOfTheBatchAddUp() {
    TensorType x = TensorType.batchOf(4);
    assertThat(new Concat(0).infer(List.of(x, x, TensorType.of(3, 4)))).hasToString("[[2n+3, 4]]");
  }

  @Test
  void whatDoesNotFitIsNamed() {
    Graph graph = new Graph();
    Node a = graph.input("a", TensorType.batchOf(4));
    Node b = graph.input("b", TensorType.batchOf(5));
    graph.beginLayer("merge");
    assertThatThrownBy(() -> a.then(new Concat(0), b))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("merge (Concat): input 1 is [n, 5]")
        .hasMessageContaining("as [n, 4] except in axis 0");
    assertThatThrownBy(() -> a.then(new Concat(2), b))
        .hasMessageContaining("axis 2 is not one of [n, 4]");
  }

  private static Array64 join(Array64[] parts, int axis, long... dims) {
    Array64 y = Array64.zeros(dims);
    int offset = 0;
    for (Array64 part : parts) {
      int start = offset;
      Moved.of(
          part,
          at -> {
            int[] to = at.clone();
            to[axis] += start;
            y.values()[Moved.offset(y, to)] = part.values()[Moved.offset(part, at)];
            return at;
          },
          part.shape().dims());
      offset += part.dim(axis);
    }
    return y;
  }
}
