package dev.crema.bench.gpu;

import dev.crema.bench.Network;
import dev.crema.bench.gpu.CardBar.OfLimit;
import dev.crema.bench.gpu.CardBar.Times;
import dev.crema.bench.gpu.StoredGraph.Tensors;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.nn.Activation;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.Model;
import dev.crema.nn.Sequential;
import dev.crema.op.Adam;
import dev.crema.op.Gelu;
import dev.crema.op.LayerNorm;
import dev.crema.op.Softmax;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** What is measured on a card, with the bars that are set for one H200. */
final class CardWorks {
  private static final long SEED = 1;
  private static final double EPSILON = 1e-5;

  /** A value is read and written. */
  private static final int COPIED = 2 * Float.BYTES;

  /** Adam reads parameters, gradients and two moments, and writes all but the gradients. */
  private static final int ADAM_MOVES = 7 * Float.BYTES;

  private static final double NEAR = 0.9;

  private CardWorks() {}

  static List<CardWork> of(Sizes sizes) {
    List<CardWork> works = new ArrayList<>();
    works.add(seed(sizes));
    works.add(wide(sizes));
    works.add(lenet(sizes));
    works.add(residual(sizes));
    works.add(
        CardWork.products(
            "transformer-block",
            "Block of a transformer, width %d, %d heads, sequence %d, batch %d, bf16: forward and"
                    .formatted(sizes.width(), sizes.heads(), sizes.sequence(), sizes.blockBatch())
                + " backward",
            TransformerBlock.flops(sizes),
            Arithmetic.BF16,
            tensors -> TransformerBlock.build(tensors, sizes),
            Times.compiled(1)));
    works.add(
        CardWork.memory(
            "adam",
            "Adam over %,d parameters".formatted(sizes.parameters()),
            (double) ADAM_MOVES * sizes.parameters(),
            tensors -> adam(tensors, sizes.parameters()),
            new OfLimit(NEAR)));
    works.add(rows(sizes, "softmax", x -> x.then(new Softmax())));
    works.add(rows(sizes, "layer-norm", null));
    works.add(rows(sizes, "gelu", x -> x.then(new Gelu())));
    for (Arithmetic arithmetic : List.of(Arithmetic.INT8, Arithmetic.FP8)) {
      works.add(prediction(sizes, arithmetic));
      works.add(product(sizes, arithmetic));
    }
    return List.copyOf(works);
  }

  private static CardWork seed(Sizes sizes) {
    int batch = sizes.seedBatch();
    TrainingData data = new TrainingData(Network.SEED_MLP::model, batch, Network.CLASSES);
    return CardWork.training(
        "seed-mlp",
        "MLP 100-64-64-10, batch %d, fp32: a step of Adam".formatted(batch),
        steps(data),
        Arithmetic.FP32,
        data,
        true,
        Times.eager(10),
        Times.compiledWithGraphs(2));
  }

  private static CardWork wide(Sizes sizes) {
    int[] widths = sizes.mlp();
    int classes = widths[widths.length - 1];
    TrainingData data = new TrainingData(() -> mlp(widths), sizes.mlpBatch(), classes);
    return CardWork.training(
        "wide-mlp",
        "MLP %s, batch %d, bf16: a step of Adam".formatted(shape(widths), sizes.mlpBatch()),
        steps(data),
        Arithmetic.BF16,
        data,
        false,
        Times.compiled(1),
        new OfLimit(0.75));
  }

  private static String shape(int[] widths) {
    return Arrays.stream(widths).mapToObj(String::valueOf).collect(Collectors.joining("-"));
  }

  /** What the layers of a prediction of bytes take, from inputs of float32 on the card. */
  private static CardWork prediction(Sizes sizes, Arithmetic arithmetic) {
    int[] widths = sizes.mlp();
    double products = 0;
    for (int i = 1; i < widths.length; i++) {
      products += (double) widths[i - 1] * widths[i];
    }
    return CardWork.products(
        "mlp-" + arithmetic.label(),
        "MLP %s, batch %d, %s: a prediction, from and to fp32 on the card"
            .formatted(shape(widths), sizes.mlpBatch(), arithmetic.label()),
        2 * sizes.mlpBatch() * products,
        arithmetic,
        tensors -> ByteLayers.of(tensors, arithmetic).mlp(widths, sizes.mlpBatch()));
  }

  private static CardWork product(Sizes sizes, Arithmetic arithmetic) {
    int n = sizes.product();
    return CardWork.products(
        "product-" + arithmetic.label(),
        "Product of %,d × %<,d by %<,d × %<,d, %s, to fp32, a scale for each column"
            .formatted(n, arithmetic.label()),
        2.0 * n * n * n,
        arithmetic,
        tensors -> ByteLayers.of(tensors, arithmetic).product(n));
  }

  private static Model mlp(int[] widths) {
    Sequential layers = Model.sequential(widths[0]);
    for (int i = 1; i < widths.length - 1; i++) {
      layers = layers.dense(widths[i], Activation.RELU);
    }
    return layers.dense(widths[widths.length - 1], Activation.SOFTMAX).build(SEED);
  }

  private static CardWork lenet(Sizes sizes) {
    int batch = sizes.lenetBatch();
    TrainingData data = new TrainingData(Network.LENET::model, batch, Network.CLASSES);
    return CardWork.training(
        "lenet",
        "LeNet 32-64-512, batch %d, fp32: a step of Adam".formatted(batch),
        steps(data),
        Arithmetic.FP32,
        data,
        true,
        Times.eager(4));
  }

  private static CardWork residual(Sizes sizes) {
    int side = sizes.residualSide();
    int classes = sizes.residualClasses();
    long[] image = {side, side, 3};
    TrainingData data =
        new TrainingData(
            () ->
                Model.of(
                    BuiltIn.topology("resnet18", image, BuiltIn.Output.CLASSES, classes), SEED),
            sizes.residualBatch(),
            classes);
    return CardWork.training(
        "resnet18",
        "ResNet-18, %d×%d, batch %d, bf16, channels last: a step of Adam"
            .formatted(side, side, sizes.residualBatch()),
        steps(data),
        Arithmetic.BF16,
        data,
        false,
        Times.compiled(1));
  }

  /** Forward, and backward in weights and inputs; the first layer has no gradient in its inputs. */
  private static double steps(TrainingData data) {
    try (Model model = data.model().get()) {
      List<Long> layers = Products.of(model);
      double all = layers.stream().mapToDouble(Long::doubleValue).sum();
      return 2.0 * data.rows() * (3 * all - layers.get(0));
    }
  }

  private static void adam(Tensors tensors, int parameters) {
    TensorType type = TensorType.of(parameters);
    Node w = tensors.stored(Storage.PARAMETERS, type);
    Node g = tensors.stored(Storage.GRADIENTS, type);
    Node m = tensors.stored(Storage.moment(0), type);
    Node v = tensors.stored(Storage.moment(1), type);
    float[] values = {0.001f, 1, 0.1f, 0.001f};
    Node hyper = tensors.stored(Storage.HYPER, TensorType.of(values.length));
    StoredGraph.fill(tensors.buffer(Storage.PARAMETERS), new SplittableRandom(1), 1);
    StoredGraph.fill(tensors.buffer(Storage.GRADIENTS), new SplittableRandom(2), 1);
    Buffer numbers = tensors.buffer(Storage.HYPER);
    numbers.borrow(0, Float.BYTES * values.length).asFloatBuffer().put(values);
    numbers.changed();
    tensors.graph().apply(new Adam(0, 0.9, 0.999, 1e-8, false), w, g, m, v, hyper, null);
    tensors.lookAt(Storage.PARAMETERS);
  }

  /** Null for layer normalisation, which has weights. */
  private static CardWork rows(Sizes sizes, String name, UnaryOperator<Node> function) {
    int rows = sizes.rows();
    int columns = sizes.columns();
    double count = (double) rows * columns;
    return CardWork.memory(
        name,
        "%s of %,d rows of %,d, fp32".formatted(name, rows, columns),
        COPIED * count,
        tensors -> {
          Node x = tensors.uniform(4, rows, columns);
          tensors.store(function == null ? norm(tensors, x, columns) : function.apply(x));
        },
        new OfLimit(NEAR));
  }

  private static Node norm(Tensors tensors, Node x, int columns) {
    Node gamma = tensors.uniform(1, columns);
    Node beta = tensors.uniform(1, columns);
    return x.then(new LayerNorm(EPSILON), gamma, beta);
  }
}
