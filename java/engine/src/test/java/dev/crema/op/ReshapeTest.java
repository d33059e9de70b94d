package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.Dim;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReshapeTest {
  @Test
  void theBatchFoldsIntoAnotherAxisAndBack() {
    TensorType x = TensorType.batchOf(3, 5);
    OpCheck.graph(in -> in[0].then(Flatten.toRows(x)).then(new Relu()))
        .batched(Array64.gaussian(1, 4, 3, 5))
        .forwardOne(in -> in[0].map(v -> Math.max(v, 0)).reshape(12, 5))
        .run();
    OpCheck.graph(in -> in[0].then(Flatten.toRows(x)).then(new Relu()).then(new Reshape(x)))
        .batched(Array64.gaussian(1, 4, 3, 5))
        .forwardOne(in -> in[0].map(v -> Math.max(v, 0)))
        .run();
  }

  @Test
  void flatteningKeepsTheFirstAxes() {
    TensorType x = TensorType.batchOf(3, 5, 2);
    assertThat(Flatten.of(x).type()).isEqualTo(TensorType.batchOf(30));
    assertThat(Flatten.from(x, 2).type()).isEqualTo(TensorType.batchOf(3, 10));
    assertThat(Flatten.toRows(x).type().dim(0)).isEqualTo(new Dim(15, 0));
    assertThat(Flatten.of(TensorType.batchOf()).type()).isEqualTo(TensorType.batchOf(1));
  }

  @Test
  void otherNumbersOfElementsAreRefused() {
    Reshape reshape = new Reshape(TensorType.of(15));
    assertThatThrownBy(() -> reshape.infer(List.of(TensorType.batchOf(15))))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("cannot reshape [n, 15] (15n elements) to [15] (15)");
  }
}
