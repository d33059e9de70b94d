package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.crema.device.Device;
import dev.crema.graph.Precision;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.nn.Activation;
import dev.crema.nn.Add;
import dev.crema.nn.AveragePool2d;
import dev.crema.nn.BatchNorm;
import dev.crema.nn.Concat;
import dev.crema.nn.Conv1d;
import dev.crema.nn.Conv2d;
import dev.crema.nn.ConvTranspose2d;
import dev.crema.nn.Dense;
import dev.crema.nn.DepthwiseConv2d;
import dev.crema.nn.Dropout;
import dev.crema.nn.Embedding;
import dev.crema.nn.Flatten;
import dev.crema.nn.GlobalMaxPool;
import dev.crema.nn.GroupNorm;
import dev.crema.nn.Gru;
import dev.crema.nn.LayerNorm;
import dev.crema.nn.Lstm;
import dev.crema.nn.MaxPool2d;
import dev.crema.nn.Model;
import dev.crema.nn.MultiHeadAttention;
import dev.crema.nn.RmsNorm;
import dev.crema.nn.Symbol;
import dev.crema.op.EveryDevice;
import dev.crema.plan.Plan;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every layer in a training that stores 16 bits, by itself and beside those that stay float32. */
class HalfLayersTest {
  private static final int ROWS = 6;
  private static final int WORDS = 5;

  private static Map<String, Symbol[]> networks() {
    Map<String, Symbol[]> all = new LinkedHashMap<>();
    Symbol image = Symbol.input("image", 6, 6, 3);
    Symbol conv = image.then(Conv2d.of(4, 3)).then(new BatchNorm());
    all.put("residual", ends(image, conv.then(Dense.of(4, Activation.RELU)), conv));
    all.put("groups", new Symbol[] {image, classes(conv.then(GroupNorm.of(2)))});
    all.put(
        "pools",
        new Symbol[] {
          image,
          classes(
              conv.then(MaxPool2d.of(2))
                  .then(ConvTranspose2d.of(4, 2, 2))
                  .then(AveragePool2d.of(2)))
        });
    all.put(
        "depthwise",
        new Symbol[] {
          image,
          image
              .then(DepthwiseConv2d.of(3))
              .then(Conv2d.of(8, 1))
              .then(new GlobalMaxPool())
              .then(Dense.of(3, Activation.SOFTMAX))
        });
    Symbol words = Symbol.input("words", TensorType.batchOf(ElementType.INT32, WORDS));
    Symbol embedded = words.then(Embedding.of(11, 8));
    Symbol attention = embedded.then(new LayerNorm()).then(MultiHeadAttention.of(2));
    all.put("transformer", ends(words, attention, embedded));
    all.put("sequence", ends(words, embedded.then(Conv1d.of(8, 1)).then(new RmsNorm()), embedded));
    all.put(
        "lstm",
        new Symbol[] {words, embedded.then(Lstm.of(5)).then(Dense.of(3, Activation.SOFTMAX))});
    all.put(
        "gru",
        new Symbol[] {words, embedded.then(Gru.of(5)).then(Dense.of(3, Activation.SOFTMAX))});
    Symbol numbers = Symbol.input("numbers", 7);
    Symbol gelu = numbers.then(Dense.of(9, Activation.GELU));
    Symbol tanh = numbers.then(Dense.of(9, Activation.TANH)).then(new Dropout(0.2));
    Symbol both = new Concat().named("both", gelu, tanh);
    all.put("joined", new Symbol[] {numbers, both.then(Dense.of(3, Activation.SOFTMAX))});
    return all;
  }

  /** The sum of two branches, and classes of it. */
  private static Symbol[] ends(Symbol input, Symbol a, Symbol b) {
    return new Symbol[] {input, classes(new Add().named("sum", a, b))};
  }

  private static Symbol classes(Symbol x) {
    return x.then(new Flatten()).then(Dense.of(3, Activation.SOFTMAX));
  }

  static Stream<Arguments> cases() {
    return networks().keySet().stream()
        .flatMap(
            name ->
                Stream.of(Precision.BFLOAT16, Precision.FLOAT16).map(p -> Arguments.of(name, p)));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("cases")
  void stepsAreThoseOfFloat32ButForRounding(String name, Precision precision) {
    EveryDevice.cards(
        device -> {
          float[] exact = losses(device, name, Precision.FLOAT32);
          float[] half = losses(device, name, precision);
          // Losses about 1 of networks of a few layers, each of which rounds by 2^-8 or 2^-11.
          float tolerance = precision == Precision.BFLOAT16 ? 0.06f : 0.01f;
          assertThat(half).containsExactly(exact, within(tolerance)).isNotEqualTo(exact);
        });
  }

  private static float[] losses(Device device, String name, Precision precision) {
    Symbol[] ends = networks().get(name);
    SplittableRandom random = new SplittableRandom(4);
    float[] losses = new float[3];
    try (Model model = Model.of(List.of(ends[0]), List.of(ends[1]), 3)) {
      Trainer trainer =
          Trainer.of(model)
              .device(device)
              .precision(precision)
              .lossScaling(new LossScaling(128, 2, 0.5, 2000)) // no step is skipped
              .optimizer(Optimizer.sgd(0.05))
              .loss(Losses.sparseCategoricalCrossentropy());
      try (TrainingStep step = new TrainingStep(trainer, ROWS, trainer.outputs.usualHeads())) {
        for (int i = 0; i < losses.length; i++) {
          for (String input : step.plan().inputs()) {
            fill(step.plan(), input, random);
          }
          losses[i] = step.run(ROWS, 0.05, true);
        }
      }
    }
    return losses;
  }

  private static void fill(Plan plan, String input, SplittableRandom random) {
    int count = (int) plan.inputType(input).at(ROWS).elements();
    ByteBuffer memory = plan.input(input).borrow(0, 4 * count);
    for (int i = 0; i < count; i++) {
      if (plan.inputType(input).element() == ElementType.INT32) {
        memory.putInt(4 * i, random.nextInt(3)); // classes, or words
      } else {
        memory.putFloat(4 * i, random.nextFloat() - 0.5f);
      }
    }
    plan.input(input).changed();
  }
}
