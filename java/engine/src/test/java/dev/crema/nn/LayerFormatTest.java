package dev.crema.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.io.Json;
import dev.crema.memory.ElementType;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class LayerFormatTest {
  private static final Initializer NORMAL = new Initializer.Normal(0.5, 0.02);
  private static final Regularizer DECAY = new Regularizer(0.1, 0.2);

  static Stream<Layer> layers() {
    return Stream.of(
        Dense.of(4),
        new Dense(4, Activation.GELU, false, NORMAL, new Initializer.Constant(0.1), DECAY),
        new Activate(Activation.HARD_SWISH),
        new Dropout(0.25),
        new Flatten(),
        ReshapeTo.of(3, -1, 5),
        Permute.of(2, 3, 1),
        Conv1d.of(8, 3),
        new Conv1d(8, 3, 2, Padding.of(1, 2), 3, 4, Activation.RELU, false, NORMAL, NORMAL, DECAY),
        Conv2d.of(8, 3),
        new Conv2d(
            8,
            Size2d.of(3, 5),
            Size2d.of(1, 2),
            Padding.of(1, 2, 3, 4),
            Size2d.of(2, 1),
            4,
            Activation.SELU,
            false,
            Initializer.LECUN_NORMAL,
            new Initializer.Uniform(-1, 1),
            DECAY),
        DepthwiseConv2d.of(3, 1).withMultiplier(2).withPadding(Padding.SAME).withStrides(2),
        ConvTranspose2d.of(8, 4, 2).withPadding(Padding.SAME),
        ConvTranspose2d.of(8, 3, 2).withPadding(Padding.of(1)).withOutputPadding(1),
        MaxPool1d.of(2),
        MaxPool2d.of(3, 2).withPadding(Padding.SAME),
        AveragePool1d.of(3, 1).withPadding(Padding.of(1, 0)),
        AveragePool2d.of(2),
        new GlobalAveragePool(),
        new GlobalMaxPool(),
        new BatchNorm(),
        new BatchNorm(0.01, 1e-3, false, false),
        new LayerNorm(),
        new LayerNorm(1e-6, false, false),
        new RmsNorm(),
        new RmsNorm(1e-6, false, true),
        GroupNorm.of(4),
        new GroupNorm(null, 1e-3, false, true),
        Embedding.of(100, 8),
        Embedding.of(100, 8).withPadding(0).withTableInitializer(NORMAL),
        Lstm.of(4),
        Lstm.sequences(4).withoutBias().withKernelRegularizer(DECAY),
        Gru.of(4),
        new Gru(4, true, true, NORMAL, NORMAL, NORMAL, DECAY),
        MultiHeadAttention.of(4),
        new MultiHeadAttention(2, 3, true, false, 0.1, NORMAL, DECAY),
        new Add(),
        new Subtract(),
        new Multiply(),
        new Average(),
        new Maximum(),
        new Concat(1),
        new Dense(
            4,
            null,
            null,
            new Initializer.VarianceScaling(3, Initializer.Fan.OUT, true),
            null,
            null),
        Dense.of(4).withKernelInitializer(new Initializer.Orthogonal(1.4)));
  }

  @ParameterizedTest
  @MethodSource("layers")
  void aLayerIsWrittenAndReadBack(Layer layer) {
    ObjectNode json = LayerTypes.toJson(layer);
    ObjectNode parsed = (ObjectNode) Json.parse(json.toString(), "test");
    assertThat(LayerTypes.fromJson(parsed)).isEqualTo(layer);
  }

  @Test
  void shapesAndAxesMayBeListsThatRefuseToLookForNull() {
    assertThat(new ReshapeTo(List.of(4L, 3L))).isEqualTo(ReshapeTo.of(4, 3));
    assertThat(new Permute(List.of(2, 1))).isEqualTo(Permute.of(2, 1));
    assertThatThrownBy(() -> new ReshapeTo(Arrays.asList(4L, null)))
        .isInstanceOf(ShapeException.class);
    assertThatThrownBy(() -> new Permute(Arrays.asList(1, null)))
        .isInstanceOf(ShapeException.class);
  }

  @Test
  void everyTypeOfLayerIsTestedHere() {
    Set<Class<? extends Layer>> tested = layers().map(Layer::getClass).collect(Collectors.toSet());
    assertThat(tested).isEqualTo(Set.copyOf(LayerTypes.ALL.values()));
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void everyActivationHasAName(Activation activation) {
    Dense layer = Dense.of(2, activation);
    ObjectNode json = LayerTypes.toJson(layer);
    assertThat(json.get("activation").asText()).isEqualTo(activation.name().toLowerCase());
    assertThat(LayerTypes.fromJson(json)).isEqualTo(layer);
  }

  @Test
  void settingsLeftOutTakeTheirDefaults() {
    assertThat(read("{'type': 'dense', 'units': 4}")).isEqualTo(Dense.of(4));
    assertThat(read("{'type': 'conv2d', 'filters': 8, 'kernel': [3, 5], 'padding': 'same'}"))
        .isEqualTo(Conv2d.of(8, 3, 5).withPadding(Padding.SAME));
    assertThat(read("{'type': 'max_pool2d'}")).isEqualTo(MaxPool2d.of(2));
    assertThat(read("{'type': 'concat'}")).isEqualTo(new Concat());
    assertThat(read("{'type': 'conv1d', 'filters': 8, 'kernel': 3, 'padding': 1}"))
        .isEqualTo(Conv1d.of(8, 3).withPadding(Padding.of(1)));
    assertThat(read("{'type': 'dense', 'units': 4, 'kernelInitializer': 'he_normal'}"))
        .isEqualTo(Dense.of(4).withKernelInitializer(Initializer.HE_NORMAL));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "{'type': 'dens', 'units': 4} | there is no layer type 'dens'. There are: dense, ",
        "{'units': 4} | \"type\" must name a layer. There are: ",
        "{'type': 'dense'} | units",
        "{'type': 'dense', 'units': 0} | units must be at least 1, got 0",
        "{'type': 'dense', 'units': 1.5} | units: ",
        "{'type': 'dense', 'units': 4, 'unit': 3} | dense has no setting 'unit'. It has:"
            + " activation, bias, biasInitializer, kernelInitializer, kernelRegularizer, units",
        "{'type': 'dense', 'units': 4, 'activation': 'rely'} | activation: 'rely' is not one of"
            + " linear, relu, leaky_relu, ",
        "{'type': 'dense', 'units': 4, 'kernelInitializer': 'he'} | kernelInitializer: there is no"
            + " initializer 'he'. There are: [zeros, ",
        "{'type': 'dense', 'units': 4, 'kernelRegularizer': {'l1': -1, 'l2': 0}} |"
            + " kernelRegularizer:",
        "{'type': 'dropout', 'rate': 1} | rate must lie in [0, 1), got 1.0",
        "{'type': 'conv2d', 'filters': 4} | kernel is missing: a number or [height, width]",
        "{'type': 'conv2d', 'filters': 4, 'kernel': [1, 2, 3]} | kernel: a size must be one number"
            + " or [height, width], got [1,2,3]",
        "{'type': 'conv2d', 'filters': 4, 'kernel': 0} | kernel: a size must be at least 1 by 1,"
            + " got 0 by 0",
        "{'type': 'conv2d', 'filters': 4, 'kernel': 3, 'padding': 'sam'} | padding: padding must be"
            + " \"valid\", \"same\" or numbers, got \"sam\"",
        "{'type': 'conv2d', 'filters': 4, 'kernel': 3, 'padding': -1} | padding: padding must not"
            + " be negative, got -1, -1, -1, -1",
        "{'type': 'conv2d', 'filters': 4, 'kernel': 3, 'strides': 99999999999} | strides: expected"
            + " a whole number, got 99999999999",
        "{'type': 'reshape_to', 'shape': [-1, -1]} | extents of a shape must be positive and at"
            + " most one may be -1, got [-1, -1]",
        "{'type': 'permute', 'axes': [1, 1]} | axes must be each of 1 to 2 in some order, got [1,"
            + " 1]",
        "{'type': 'batch_norm', 'momentum': 0} | momentum must lie in (0, 1], got 0.0",
        "{'type': 'layer_norm', 'epsilon': -1} | epsilon must be a number from 0, got -1.0",
        "{'type': 'concat', 'axis': 0} | axis 0 is the batch",
        "{'type': 'embedding', 'vocabulary': 5, 'units': 2, 'padding': 5} | padding must be an id"
            + " in [0, 5), got 5",
      })
  void whatIsWrongWithALayerIsSaid(String json, String message) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining(message);
  }

  @Test
  void aTopologyIsWrittenAndReadBack() {
    Symbol ids = Symbol.input("ids", TensorType.batchOf(ElementType.INT32, 5));
    Symbol image = Symbol.input("image", 8, 8, 3);
    Dense shared = Dense.of(6, Activation.RELU);
    Symbol a = ids.then(Embedding.of(10, 4)).then(new Flatten()).then(shared);
    Symbol b =
        image.then(Conv2d.of(5, 3)).then(new GlobalAveragePool()).then(Dense.of(20)).then(shared);
    Symbol sum = new Add().named("sum", a, b);
    Topology topology = Topology.of(List.of(ids, image), List.of(sum, a));
    ObjectNode json = TopologyFormat.toJson(topology);
    Topology back = TopologyFormat.fromJson(Json.parse(json.toString(), "test"), "test");
    assertThat(TopologyFormat.toJson(back)).isEqualTo(json);
    assertThat(back.places()).isEqualTo(topology.places());
    assertThat(back.inputs()).isEqualTo(topology.inputs());
    assertThat(back.outputs()).isEqualTo(topology.outputs());
  }

  @Test
  void aTopologyMayBeWrittenBriefly() {
    Topology topology =
        topology(
            "{'inputs': [{'name': 'x', 'shape': [4, 4]}],"
                + "'layers': [{'type': 'flatten'}, {'type': 'dense', 'units': 3},"
                + "{'type': 'dense', 'units': 2, 'name': 'out'}]}");
    assertThat(topology.outputs()).containsExactly("out");
    assertThat(topology.places().get(1).name()).isEqualTo("dense_1");
    assertThat(topology.outputTypes()).containsExactly(TensorType.batchOf(2));
  }

  @Test
  void sharedWeightsLeadToTheFirstPlace() {
    Topology topology =
        topology(
            "{'inputs': [{'name': 'x', 'shape': [4]}],'layers': [{'type': 'dense', 'units': 4,"
                + " 'name': 'a'}, {'weights': 'a', 'name': 'b'},{'weights': 'b', 'name': 'c'}]}");
    assertThat(topology.places()).extracting(Topology.Place::weights).containsOnly("a");
    assertThat(topology.table().all()).hasSize(2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "{} | f.json: \"inputs\" must be an array, but is missing",
        "{'inputs': [], 'layers': []} | f.json: A model needs at least one input and one output",
        "{'inputs': [{'name': 'x', 'shape': [0]}], 'layers': []} | f.json: an input's shape must be"
            + " positive whole numbers, got 0",
        "{'inputs': [{'name': 'x', 'shape': [9999999999]}], 'layers': []} | f.json: An example of"
            + " input 'x', [n, 9999999999], has more than 2^31 - 1 elements",
        "{'inputs': [{'name': 'x', 'shape': [4], 'type': 'float'}], 'layers': []} | f.json: there"
            + " is no element type 'float'",
        "{'inputs': [{'name': 'x', 'shape': [4]}], 'layers': [{'type': 'dense', 'units': -1}]} |"
            + " f.json: layers[0] (dense): units must be at least 1, got -1",
        "{'inputs': [{'name': 'x', 'shape': [4]}], 'layers': [{'type': 'flatten', 'inputs':"
            + " ['y']}]} | f.json: Layer 'flatten_1' reads 'y', which is no input and no earlier"
            + " layer. Known there: [x]",
        "{'inputs': [{'name': 'x', 'shape': [4]}], 'layers': [{'type': 'subtract'}]} | f.json:"
            + " Layer 'subtract_1' (subtract) takes 2 inputs, got [x]",
        "{'inputs': [{'name': 'x', 'shape': [4]}], 'layers': [{'weights': 'a'}]} | f.json:"
            + " layers[0]: no earlier layer is named 'a'",
        "{'inputs': [{'name': 'x', 'shape': [4]}], 'layers': [5]} | f.json: layers[0]: a layer must"
            + " be an object, got 5",
        "{'inputs': [{'name': 'x', 'shape': [4]}], 'layers': [], 'outputs': ['q']} | f.json: Output"
            + " 'q' is no layer of this model: [x]",
        "{'inputs': [{'name': 'a', 'shape': [4]}, {'name': 'b', 'shape': [4]}], 'layers': [{'type':"
            + " 'flatten'}]} | f.json: layers[0] (flatten): it must say its \"inputs\", for the"
            + " model has several",
        "{'inputs': [{'name': 'x', 'shape': [4]}], 'layers': [{'type': 'max_pool2d'}]} | f.json:"
            + " max_pool2d_1 (MaxPool2d): needs images [n, height, width, channels] but gets [n,"
            + " 4]",
      })
  void whatIsWrongWithATopologyIsSaid(String json, String message) {
    assertThatThrownBy(() -> topology(json))
        .isInstanceOf(CremaException.class)
        .hasMessageStartingWith(message);
  }

  @Test
  void aLayerOfOnesOwnIsNotWritten() {
    Layer own = (context, inputs) -> inputs.get(0);
    assertThatThrownBy(() -> LayerTypes.toJson(own))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("is not one of Crema's layers");
  }

  private static Layer read(String json) {
    return LayerTypes.fromJson((ObjectNode) Json.parse(json.replace('\'', '"'), "test"));
  }

  private static Topology topology(String json) {
    return TopologyFormat.fromJson(Json.parse(json.replace('\'', '"'), "test"), "f.json");
  }
}
