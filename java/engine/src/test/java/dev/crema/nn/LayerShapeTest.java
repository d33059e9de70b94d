package dev.crema.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class LayerShapeTest {
  private static Topology of(Layer layer, long... shape) {
    Symbol x = Symbol.input("x", shape);
    return Topology.of(List.of(x), List.of(x.then(layer)));
  }

  private static String parameters(Topology topology) {
    return topology.table().all().stream()
        .map(p -> p.path().substring(p.path().indexOf('/') + 1) + " " + p.type())
        .collect(Collectors.joining(", "));
  }

  static Stream<Arguments> layers() {
    Conv2d conv = Conv2d.of(6, 3);
    return Stream.of(
        arguments(Dense.of(4), "[n, 3]", "[n, 4]", "kernel [3, 4], bias [4]"),
        arguments(Dense.of(4).withoutBias(), "[n, 5, 3]", "[n, 5, 4]", "kernel [3, 4]"),
        arguments(new Activate(Activation.RELU), "[n, 5, 3]", "[n, 5, 3]", ""),
        arguments(new Dropout(0.5), "[n, 5, 3]", "[n, 5, 3]", ""),
        arguments(new Flatten(), "[n, 5, 3]", "[n, 15]", ""),
        arguments(ReshapeTo.of(3, 5), "[n, 15]", "[n, 3, 5]", ""),
        arguments(ReshapeTo.of(3, -1, 1), "[n, 15]", "[n, 3, 5, 1]", ""),
        arguments(Permute.of(2, 1), "[n, 5, 3]", "[n, 3, 5]", ""),
        arguments(Permute.of(3, 1, 2), "[n, 5, 3, 2]", "[n, 2, 5, 3]", ""),
        arguments(conv, "[n, 8, 9, 4]", "[n, 6, 7, 6]", "kernel [3, 3, 4, 6], bias [6]"),
        arguments(
            conv.withPadding(Padding.SAME).withStrides(2),
            "[n, 8, 9, 4]",
            "[n, 4, 5, 6]",
            "kernel [3, 3, 4, 6], bias [6]"),
        arguments(
            conv.withPadding(Padding.of(1, 0, 2, 1)).withoutBias(),
            "[n, 8, 9, 4]",
            "[n, 7, 10, 6]",
            "kernel [3, 3, 4, 6]"),
        arguments(
            conv.withDilation(2, 1).withGroups(2),
            "[n, 8, 9, 4]",
            "[n, 4, 7, 6]",
            "kernel [3, 3, 2, 6], bias [6]"),
        arguments(
            DepthwiseConv2d.of(3).withMultiplier(2),
            "[n, 8, 9, 4]",
            "[n, 6, 7, 8]",
            "kernel [3, 3, 1, 8], bias [8]"),
        arguments(
            ConvTranspose2d.of(6, 3, 2),
            "[n, 4, 5, 2]",
            "[n, 9, 11, 6]",
            "kernel [3, 3, 6, 2], bias [6]"),
        arguments(
            ConvTranspose2d.of(6, 3, 2).withPadding(Padding.SAME),
            "[n, 4, 5, 2]",
            "[n, 8, 10, 6]",
            "kernel [3, 3, 6, 2], bias [6]"),
        arguments(
            ConvTranspose2d.of(6, 2, 3).withPadding(Padding.SAME),
            "[n, 4, 5, 2]",
            "[n, 12, 15, 6]",
            "kernel [2, 2, 6, 2], bias [6]"),
        arguments(
            ConvTranspose2d.of(6, 3, 2).withPadding(Padding.of(1)).withOutputPadding(1),
            "[n, 4, 5, 2]",
            "[n, 8, 10, 6]",
            "kernel [3, 3, 6, 2], bias [6]"),
        arguments(Conv1d.of(6, 3), "[n, 9, 4]", "[n, 7, 6]", "kernel [3, 4, 6], bias [6]"),
        arguments(
            Conv1d.of(6, 3).withPadding(Padding.SAME).withStrides(2).withGroups(2),
            "[n, 9, 4]",
            "[n, 5, 6]",
            "kernel [3, 2, 6], bias [6]"),
        arguments(
            Conv1d.of(6, 3).withPadding(Padding.of(4, 0)).withDilation(2),
            "[n, 9, 4]",
            "[n, 9, 6]",
            "kernel [3, 4, 6], bias [6]"),
        arguments(MaxPool2d.of(2), "[n, 5, 6, 3]", "[n, 2, 3, 3]", ""),
        arguments(MaxPool2d.of(3, 2), "[n, 5, 6, 3]", "[n, 2, 2, 3]", ""),
        arguments(MaxPool2d.of(2).withPadding(Padding.SAME), "[n, 5, 6, 3]", "[n, 3, 3, 3]", ""),
        arguments(AveragePool2d.of(2), "[n, 5, 6, 3]", "[n, 2, 3, 3]", ""),
        arguments(MaxPool1d.of(2), "[n, 5, 3]", "[n, 2, 3]", ""),
        arguments(AveragePool1d.of(3, 1), "[n, 5, 3]", "[n, 3, 3]", ""),
        arguments(
            Lstm.of(6),
            "[n, 9, 4]",
            "[n, 6]",
            "kernel [4, 24], recurrent_kernel [6, 24], bias [24]"),
        arguments(
            Lstm.sequences(6).withoutBias(),
            "[n, 9, 4]",
            "[n, 9, 6]",
            "kernel [4, 24], recurrent_kernel [6, 24]"),
        arguments(
            Gru.of(6),
            "[n, 9, 4]",
            "[n, 6]",
            "kernel [4, 18], recurrent_kernel [6, 18], bias [18], recurrent_bias [18]"),
        arguments(
            Gru.sequences(6).withoutBias(),
            "[n, 9, 4]",
            "[n, 9, 6]",
            "kernel [4, 18], recurrent_kernel [6, 18]"),
        arguments(
            MultiHeadAttention.of(2),
            "[n, 9, 4]",
            "[n, 9, 4]",
            "query_kernel [4, 4], query_bias [4], key_kernel [4, 4], key_bias [4],"
                + " value_kernel [4, 4], value_bias [4], output_kernel [4, 4], output_bias [4]"),
        arguments(
            MultiHeadAttention.of(2).withHeadSize(3).withoutBias().withCausalMask(),
            "[n, 9, 4]",
            "[n, 9, 4]",
            "query_kernel [4, 6], key_kernel [4, 6], value_kernel [4, 6], output_kernel [6, 4]"),
        arguments(
            new BatchNorm(),
            "[n, 5, 6, 4]",
            "[n, 5, 6, 4]",
            "gamma [4], beta [4], running_mean [4], running_variance [4]"),
        arguments(new LayerNorm(), "[n, 5, 4]", "[n, 5, 4]", "gamma [4], beta [4]"),
        arguments(new RmsNorm(), "[n, 5, 4]", "[n, 5, 4]", "gamma [4]"),
        arguments(GroupNorm.of(2), "[n, 5, 6, 4]", "[n, 5, 6, 4]", "gamma [4], beta [4]"),
        arguments(new GlobalAveragePool(), "[n, 5, 6, 3]", "[n, 3]", ""),
        arguments(new GlobalMaxPool(), "[n, 5, 3]", "[n, 3]", ""));
  }

  @ParameterizedTest
  @MethodSource("layers")
  void aLayerHasItsOutputShapeAndParameters(
      Layer layer, String input, String output, String parameters) {
    String extents = input.substring("[n, ".length(), input.length() - 1);
    long[] shape = Stream.of(extents.split(", ")).mapToLong(Long::parseLong).toArray();
    Topology topology = of(layer, shape);
    assertThat(topology.outputTypes()).hasToString("[" + output + "]");
    assertThat(parameters(topology)).isEqualTo(parameters);
  }

  @Test
  void samePaddingGivesAsManyWindowsAsStridesFit() {
    for (int extent = 1; extent <= 12; extent++) {
      for (int kernel = 1; kernel <= 5; kernel++) {
        for (int stride = 1; stride <= 3; stride++) {
          Topology topology =
              of(
                  Conv2d.of(1, kernel).withStrides(stride).withPadding(Padding.SAME),
                  extent,
                  2 * extent,
                  1);
          long rows = (extent + stride - 1) / stride;
          long columns = (2 * extent + stride - 1) / stride;
          assertThat(topology.outputTypes().get(0)).isEqualTo(TensorType.batchOf(rows, columns, 1));
        }
      }
    }
  }

  @Test
  void anEmbeddingTakesIdsOfAnyShape() {
    Symbol ids = Symbol.input("ids", TensorType.batchOf(ElementType.INT32, 7));
    Topology topology = Topology.of(List.of(ids), List.of(ids.then(Embedding.of(100, 8))));
    assertThat(topology.outputTypes()).containsExactly(TensorType.batchOf(7, 8));
    assertThat(parameters(topology)).isEqualTo("table [100, 8]");
  }

  @Test
  void mergesTakeSeveralInputs() {
    Symbol a = Symbol.input("a", 4);
    Symbol b = Symbol.input("b", 4);
    Topology topology =
        Topology.of(
            List.of(a, b),
            List.of(
                new Add().apply(a, b, a),
                new Multiply().apply(a, b),
                new Subtract().apply(a, b),
                new Average().apply(a, b),
                new Maximum().apply(a, b),
                new Concat().apply(a, b, b)));
    assertThat(topology.outputTypes())
        .containsExactly(
            TensorType.batchOf(4),
            TensorType.batchOf(4),
            TensorType.batchOf(4),
            TensorType.batchOf(4),
            TensorType.batchOf(4),
            TensorType.batchOf(12));
  }

  @Test
  void aSharedLayerHasOneSetOfParameters() {
    Symbol a = Symbol.input("a", 4);
    Symbol b = Symbol.input("b", 4);
    Dense tower = Dense.of(3);
    Topology topology =
        Topology.of(List.of(a, b), List.of(new Concat().apply(tower.apply(a), tower.apply(b))));
    assertThat(parameters(topology)).isEqualTo("kernel [4, 3], bias [3]");
    assertThat(topology.places().get(1).weights()).isEqualTo("dense_1");
  }
}
