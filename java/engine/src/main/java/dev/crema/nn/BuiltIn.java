package dev.crema.nn;

import dev.crema.CremaException;
import dev.crema.graph.TensorType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Models by name, for data of any fitting shape.
 *
 * <ul>
 *   <li>{@code seed-mlp}: Dense 64 ReLU, Dense 64 ReLU, output.
 *   <li>{@code mlp:H1,H2,...}: Dense H1 ReLU, Dense H2 ReLU, ..., output.
 *   <li>{@code linear}: the output layer alone: linear or logistic regression.
 *   <li>{@code lenet}: LeNet-5 (LeCun et al. 1998) as it is built today: convolution 6 5×5 same,
 *       max pool 2, convolution 16 5×5, max pool 2, Dense 120, Dense 84, output, all ReLU.
 *   <li>{@code resnet18}: ResNet-18 (He et al. 2016): a 7×7 stem of stride 2, max pool, and four
 *       stages of two basic blocks, of 64, 128, 256 and 512 channels.
 *   <li>{@code resnet18-small}: ResNet-18 for small images: a 3×3 stem without pooling as in their
 *       CIFAR networks, four stages of two basic blocks, and a quarter of ResNet-18's width: 16,
 *       32, 64 and 128 channels.
 *   <li>a name that ends in {@code .json}: the topology in that file ({@link TopologyFormat}).
 * </ul>
 */
public final class BuiltIn {
  /** What the numbers that a model gives are; decides the output layer's activation. */
  public enum Output {
    /** Probabilities of classes that exclude one another: softmax. */
    CLASSES,
    /** Probabilities of labels, each by itself: sigmoid. */
    LABELS,
    /** Values of a regression: linear. */
    VALUES
  }

  /** The names, as users write them. */
  public static final List<String> NAMES =
      List.of(
          "seed-mlp",
          "mlp:H1,H2,...",
          "lenet",
          "resnet18",
          "resnet18-small",
          "linear",
          "FILE.json");

  private static final int LENET_LEAST = 12; // pixels that leave one after both pools
  private static final int RESNET_LEAST = 32; // pixels that leave one after five halvings
  private static final int[] RESNET_CHANNELS = {64, 128, 256, 512};
  private static final int[] SMALL_RESNET_CHANNELS = {16, 32, 64, 128};

  private BuiltIn() {}

  /**
   * The topology of that name.
   *
   * @param inputShape extents of one example; images [height, width, channels] or [height, width]
   * @param outputs how many numbers the model gives: classes, labels or values
   * @throws CremaException if there is none of that name or it does not fit the data
   */
  public static Topology topology(String name, long[] inputShape, Output kind, int outputs) {
    if (outputs < 1 || kind == Output.CLASSES && outputs < 2) {
      throw new CremaException(
          kind == Output.CLASSES
              ? "A classifier needs at least 2 classes, got " + outputs
              : "A model needs at least 1 output, got " + outputs);
    }
    if (name.endsWith(".json")) {
      return fromFile(Path.of(name), inputShape, outputs);
    }
    Symbol x = Symbol.input("x", inputShape);
    Symbol features;
    if (name.startsWith("mlp:")) {
      features = mlp(flat(x, inputShape), widths(name));
    } else {
      features =
          switch (name) {
            case "seed-mlp" -> mlp(flat(x, inputShape), List.of(64, 64));
            case "linear" -> flat(x, inputShape);
            case "lenet" -> lenet(images(name, x, inputShape, LENET_LEAST));
            case "resnet18" ->
                stages(stem(images(name, x, inputShape, RESNET_LEAST)), RESNET_CHANNELS);
            case "resnet18-small" ->
                stages(smallStem(images(name, x, inputShape, 4)), SMALL_RESNET_CHANNELS);
            default ->
                throw new CremaException(
                    "There is no model '"
                        + name
                        + "'. There are: "
                        + String.join(", ", NAMES)
                        + ".");
          };
    }
    Activation activation =
        switch (kind) {
          case CLASSES -> Activation.SOFTMAX;
          case LABELS -> Activation.SIGMOID;
          case VALUES -> Activation.LINEAR;
        };
    Symbol y = Dense.of(outputs, activation).named("output", features);
    return Topology.of(List.of(x), List.of(y));
  }

  private static Topology fromFile(Path file, long[] inputShape, int outputs) {
    Topology topology = TopologyFormat.read(file);
    TensorType given = TensorType.batchOf(inputShape);
    List<Topology.InputSpec> inputs = topology.inputs();
    if (inputs.size() != 1 || !inputs.get(0).type().sameDims(given)) {
      throw new CremaException(
          file
              + ": the model reads "
              + inputs.stream().map(i -> i.name() + " " + i.type()).toList()
              + " but the data is "
              + given
              + ". Change the \"shape\" of its input.");
    }
    TensorType last = topology.outputTypes().get(0);
    if (topology.outputs().size() != 1 || last.elements().perExample() != outputs) {
      throw new CremaException(
          file
              + ": the model gives "
              + topology.outputTypes()
              + " but the data needs "
              + outputs
              + " outputs. Change the units of its last layer.");
    }
    return topology;
  }

  private static List<Integer> widths(String name) {
    List<Integer> widths = new ArrayList<>();
    for (String width : name.substring("mlp:".length()).split(",", -1)) {
      try {
        int units = Integer.parseInt(width.trim());
        if (units < 1) {
          throw new NumberFormatException(width);
        }
        widths.add(units);
      } catch (NumberFormatException e) {
        throw new CremaException(
            "In the model '" + name + "', '" + width + "' is no width. Write mlp:128,64.", e);
      }
    }
    return widths;
  }

  private static Symbol flat(Symbol x, long[] shape) {
    return shape.length == 1 ? x : x.then(new Flatten());
  }

  private static Symbol images(String name, Symbol x, long[] shape, int least) {
    boolean images = shape.length == 3 || shape.length == 2;
    if (!images || shape[0] < least || shape[1] < least) {
      throw new CremaException(
          name
              + " needs images [height, width, channels] of at least "
              + least
              + " by "
              + least
              + " pixels, but an example is "
              + Arrays.toString(shape)
              + ". Choose seed-mlp, mlp:H1,H2,... or linear.");
    }
    return shape.length == 3 ? x : x.then(ReshapeTo.of(shape[0], shape[1], 1));
  }

  private static Symbol mlp(Symbol x, List<Integer> widths) {
    for (int units : widths) {
      x = x.then(relu(units));
    }
    return x;
  }

  private static Dense relu(int units) {
    return Dense.of(units, Activation.RELU).withKernelInitializer(Initializer.HE_NORMAL);
  }

  private static Symbol lenet(Symbol x) {
    Conv2d conv = Conv2d.of(6, 5, Activation.RELU).withKernelInitializer(Initializer.HE_NORMAL);
    return mlp(
        x.then(conv.withPadding(Padding.SAME))
            .then(MaxPool2d.of(2))
            .then(Conv2d.of(16, 5, Activation.RELU).withKernelInitializer(Initializer.HE_NORMAL))
            .then(MaxPool2d.of(2))
            .then(new Flatten()),
        List.of(120, 84));
  }

  private static Symbol stem(Symbol x) {
    return normalised(x, RESNET_CHANNELS[0], 7, 2)
        .then(new Activate(Activation.RELU))
        .then(MaxPool2d.of(3, 2).withPadding(Padding.SAME));
  }

  private static Symbol smallStem(Symbol x) {
    return normalised(x, SMALL_RESNET_CHANNELS[0], 3, 1).then(new Activate(Activation.RELU));
  }

  private static Symbol stages(Symbol x, int[] widths) {
    int before = widths[0];
    for (int channels : widths) {
      x = block(x, before, channels, before == channels ? 1 : 2);
      x = block(x, channels, channels, 1);
      before = channels;
    }
    return x.then(new GlobalAveragePool());
  }

  /** Two convolutions and a way around them, which is a projection where the shape changes. */
  private static Symbol block(Symbol x, int before, int channels, int stride) {
    Symbol inner = normalised(x, channels, 3, stride).then(new Activate(Activation.RELU));
    inner = normalised(inner, channels, 3, 1);
    Symbol around = stride == 1 && before == channels ? x : normalised(x, channels, 1, stride);
    return new Add().apply(inner, around).then(new Activate(Activation.RELU));
  }

  private static Symbol normalised(Symbol x, int channels, int side, int stride) {
    Conv2d conv =
        Conv2d.of(channels, side)
            .withStrides(stride)
            .withPadding(Padding.SAME)
            .withoutBias()
            .withKernelInitializer(Initializer.HE_NORMAL);
    return x.then(conv).then(new BatchNorm());
  }
}
