package dev.crema.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.crema.CremaException;
import dev.crema.graph.TensorType;
import dev.crema.nn.BuiltIn.Output;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BuiltInTest {
  @TempDir Path folder;

  private static long[] shape(String extents) {
    String[] parts = extents.split("x");
    long[] shape = new long[parts.length];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = Long.parseLong(parts[i]);
    }
    return shape;
  }

  @ParameterizedTest
  @CsvSource({
    "seed-mlp, 100, 10, 11274",
    "seed-mlp, 10x10x1, 10, 11274",
    "'mlp:1024,1024', 784, 10, 1863690",
    "mlp:7, 3, 2, 44",
    "linear, 13, 3, 42",
    "linear, 28x28x1, 10, 7850",
    "lenet, 28x28x1, 10, 61706",
    "lenet, 28x28, 10, 61706",
    "lenet, 12x12x1, 10, 15626",
    "resnet18, 224x224x3, 1000, 11689512",
    "resnet18-small, 32x32x3, 10, 701466",
  })
  void aModelHasItsParameters(String name, String input, int classes, long parameters) {
    Topology topology = BuiltIn.topology(name, shape(input), Output.CLASSES, classes);
    assertThat(topology.table().trainedElements()).isEqualTo(parameters);
    assertThat(topology.outputTypes()).containsExactly(TensorType.batchOf(classes));
  }

  @ParameterizedTest
  @CsvSource({
    "seed-mlp, 100",
    "'mlp:9,7', 5",
    "linear, 13",
    "lenet, 14x13x2",
    "resnet18, 35x32x3",
    "resnet18-small, 12x9x3"
  })
  void aModelPredictsProbabilities(String name, String input) {
    long[] shape = shape(input);
    Topology topology = BuiltIn.topology(name, shape, Output.CLASSES, 4);
    float[] x = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) Math.sin(i);
    }
    try (Model model = Model.of(topology, 1)) {
      float[] y = model.predict(x);
      assertThat(y).hasSize(4);
      assertThat(y[0] + y[1] + y[2] + y[3]).isCloseTo(1, within(1e-5f));
      assertThat(model.predict(new float[][] {x, x, x})[2]).containsExactly(y, within(1e-5f));
    }
  }

  @Test
  void theTaskDecidesTheLastActivation() {
    for (Output kind : Output.values()) {
      Topology topology = BuiltIn.topology("seed-mlp", new long[] {100}, kind, 3);
      Topology.Place last = topology.places().get(topology.places().size() - 1);
      Activation expected =
          switch (kind) {
            case CLASSES -> Activation.SOFTMAX;
            case LABELS -> Activation.SIGMOID;
            case VALUES -> Activation.LINEAR;
          };
      assertThat(((Dense) last.layer()).activation()).isEqualTo(expected);
    }
  }

  @Test
  void hiddenLayersStartAsHeProposed() {
    Topology topology = BuiltIn.topology("seed-mlp", new long[] {100}, Output.CLASSES, 10);
    assertThat(topology.places().stream().limit(2).map(p -> (Dense) p.layer()))
        .allMatch(d -> d.kernelInitializer().equals(Initializer.HE_NORMAL));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "lenet | 100 | lenet needs images [height, width, channels] of at least 12 by 12 pixels, but"
            + " an example is [100]. Choose seed-mlp, mlp:H1,H2,... or linear.",
        "lenet | 8x8x1 | lenet needs images [height, width, channels] of at least 12 by 12 pixels, but"
            + " an example is [8, 8, 1]. Choose seed-mlp, mlp:H1,H2,... or linear.",
        "resnet18-small | 5 | resnet18-small needs images [height, width, channels] of at least 4 by 4"
            + " pixels, but an example is [5]. Choose seed-mlp, mlp:H1,H2,... or linear.",
        "vgg | 100 | There is no model 'vgg'. There are: seed-mlp, mlp:H1,H2,..., lenet,"
            + " resnet18, resnet18-small, linear, FILE.json.",
        "resnet18 | 28x28x1 | resnet18 needs images [height, width, channels] of at least 32 by 32"
            + " pixels, but an example is [28, 28, 1]. Choose seed-mlp, mlp:H1,H2,... or linear.",
        "mlp:12,,3 | 100 | In the model 'mlp:12,,3', '' is no width. Write mlp:128,64.",
        "mlp:0 | 100 | In the model 'mlp:0', '0' is no width. Write mlp:128,64.",
      })
  void whatDoesNotFitIsSaid(String name, String input, String message) {
    assertThatThrownBy(() -> BuiltIn.topology(name, shape(input), Output.CLASSES, 10))
        .isInstanceOf(CremaException.class)
        .hasMessage(message);
  }

  @Test
  void oneClassIsNoTask() {
    assertThatThrownBy(() -> BuiltIn.topology("linear", new long[] {4}, Output.CLASSES, 1))
        .isInstanceOf(CremaException.class)
        .hasMessage("A classifier needs at least 2 classes, got 1");
  }

  @Test
  void aFileIsReadAndCompared() throws IOException {
    Path file = folder.resolve("mine.json");
    Files.writeString(
        file,
        """
        {"inputs": [{"name": "x", "shape": [4]}],
         "layers": [{"type": "dense", "units": 8, "activation": "tanh"},
                    {"type": "dense", "units": 3, "activation": "softmax"}]}
        """);
    Topology topology = BuiltIn.topology(file.toString(), new long[] {4}, Output.CLASSES, 3);
    assertThat(topology.table().trainedElements()).isEqualTo(67);
    assertThatThrownBy(() -> BuiltIn.topology(file.toString(), new long[] {5}, Output.CLASSES, 3))
        .isInstanceOf(CremaException.class)
        .hasMessage(
            file
                + ": the model reads [x [n, 4]] but the data is [n, 5]. Change the \"shape\" of its"
                + " input.");
    assertThatThrownBy(() -> BuiltIn.topology(file.toString(), new long[] {4}, Output.CLASSES, 4))
        .isInstanceOf(CremaException.class)
        .hasMessage(
            file
                + ": the model gives [[n, 3]] but the data needs 4 outputs. Change the units of its last"
                + " layer.");
    assertThatThrownBy(() -> BuiltIn.topology("no such.json", new long[] {4}, Output.CLASSES, 4))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("no such.json");
  }
}
