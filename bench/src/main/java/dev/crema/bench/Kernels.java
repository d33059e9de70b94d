package dev.crema.bench;

import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.op.Add;
import dev.crema.op.ArgMax;
import dev.crema.op.AveragePool2d;
import dev.crema.op.AveragePool2dGrad;
import dev.crema.op.BatchNorm;
import dev.crema.op.BatchNormGrad;
import dev.crema.op.Concat;
import dev.crema.op.Conv2d;
import dev.crema.op.Conv2dInputGrad;
import dev.crema.op.Conv2dWeightGrad;
import dev.crema.op.ConvTranspose2d;
import dev.crema.op.Dropout;
import dev.crema.op.Embedding;
import dev.crema.op.EmbeddingGrad;
import dev.crema.op.Exp;
import dev.crema.op.FusedActivation;
import dev.crema.op.Gather;
import dev.crema.op.GlobalAveragePool;
import dev.crema.op.GlobalNorm;
import dev.crema.op.Gru;
import dev.crema.op.Huber;
import dev.crema.op.LayerNorm;
import dev.crema.op.LayerNormGrad;
import dev.crema.op.Linear;
import dev.crema.op.LogSoftmax;
import dev.crema.op.Lstm;
import dev.crema.op.MaxPool2d;
import dev.crema.op.MaxPool2dGrad;
import dev.crema.op.Mul;
import dev.crema.op.Pad;
import dev.crema.op.ReduceMax;
import dev.crema.op.ReduceSum;
import dev.crema.op.RmsNorm;
import dev.crema.op.Sgd;
import dev.crema.op.Sigmoid;
import dev.crema.op.Silu;
import dev.crema.op.Slice;
import dev.crema.op.SoftmaxCrossEntropy;
import dev.crema.op.SoftmaxGrad;
import dev.crema.op.Split;
import dev.crema.op.Sub;
import dev.crema.op.Tanh;
import dev.crema.op.TopK;
import dev.crema.op.Transpose;
import dev.crema.op.Window2d;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One or more benchmarks for each kernel family of native/src/kernels, by name. */
final class Kernels {
  /** What a kernel is given, and what it needs at least. */
  record Kernel(String description, Limit limit, GraphTask.Builder builder) {}

  private static final int ROWS = 4096;
  private static final int COLUMNS = 1024;
  private static final double MATRIX = 4.0 * ROWS * COLUMNS; // bytes
  private static final int IMAGES = 8;
  private static final int SIDE = 56;
  private static final int CHANNELS = 64;
  private static final double PIXELS = 4.0 * IMAGES * SIDE * SIDE * CHANNELS; // bytes
  private static final Window2d SAME = Window2d.valid(1, 1).padded(1, 1, 1, 1);
  private static final Window2d POOL = Window2d.valid(2, 2);
  private static final double CONV = 2.0 * IMAGES * SIDE * SIDE * CHANNELS * CHANNELS * 9;

  private static final Map<String, Kernel> ALL = new LinkedHashMap<>();

  static {
    elementwise();
    rows();
    norms();
    losses();
    products();
    convolutions();
    pooling();
    moving();
    recurrent();
    updates();
  }

  private Kernels() {}

  static Map<String, Kernel> all() {
    return ALL;
  }

  private static void add(String name, String what, Limit limit, GraphTask.Builder builder) {
    ALL.put(name, new Kernel(what, limit, builder));
  }

  /** An op on a matrix of 4096 × 1024 whose result has that size too. */
  private static void matrix(String name, Op op) {
    add(
        name,
        op.getClass().getSimpleName() + " of [4096, 1024]",
        Limit.copy(2 * MATRIX),
        in -> List.of(matrix(in, 1).then(op)));
  }

  private static Node matrix(GraphTask.Inputs in, long seed) {
    return in.uniform(seed, ROWS, COLUMNS);
  }

  private static Node images(GraphTask.Inputs in, long seed) {
    return in.uniform(seed, IMAGES, SIDE, SIDE, CHANNELS);
  }

  private static TensorType imageType() {
    return TensorType.of(IMAGES, SIDE, SIDE, CHANNELS);
  }

  private static void elementwise() {
    matrix("exp", new Exp());
    matrix("tanh", new Tanh());
    matrix("sigmoid", new Sigmoid());
    matrix("silu", new Silu());
    add(
        "add",
        "Add of two [4096, 1024]",
        Limit.triad(3 * MATRIX),
        in -> List.of(matrix(in, 1).then(new Add(), matrix(in, 2))));
    add(
        "fused",
        "tanh(a·b + b)·a, one fused kernel",
        Limit.triad(3 * MATRIX),
        in -> {
          Node a = matrix(in, 1);
          Node b = matrix(in, 2);
          Node y = a.then(new Mul(), b).then(new Add(), b).then(new Tanh()).then(new Mul(), a);
          return List.of(y);
        });
    add(
        "broadcast",
        "[4096, 1024] + [1024]",
        Limit.copy(2 * MATRIX),
        in -> List.of(matrix(in, 1).then(new Add(), in.uniform(2, COLUMNS))));
    add(
        "dropout",
        "Dropout of [4096, 1024]",
        Limit.copy(2 * MATRIX),
        in -> List.of(matrix(in, 1).then(new Dropout(0.5, 1), in.uniform(2, 4))));
  }

  private static void rows() {
    matrix("log-softmax", new LogSoftmax());
    add(
        "softmax-grad",
        "Gradient of softmax of [4096, 1024]",
        Limit.triad(3 * MATRIX),
        in -> List.of(matrix(in, 1).then(new SoftmaxGrad(), matrix(in, 2))));
    add(
        "arg-max",
        "ArgMax of [4096, 1024]",
        Limit.read(MATRIX),
        in -> List.of(matrix(in, 1).then(new ArgMax(1))));
    add(
        "top-k",
        "The 5 largest of each row of [4096, 1024]",
        Limit.read(MATRIX),
        in -> List.of(matrix(in, 1).then(new TopK(5))));
    add(
        "reduce-sum.rows",
        "Sums of the rows of [4096, 1024]",
        Limit.read(MATRIX),
        in -> List.of(matrix(in, 1).then(new ReduceSum(List.of(1), false))));
    add(
        "reduce-sum.columns",
        "Sums of the columns of [4096, 1024]",
        Limit.read(MATRIX),
        in -> List.of(matrix(in, 1).then(new ReduceSum(List.of(0), false))));
    add(
        "reduce-max.rows",
        "Maxima of the rows of [4096, 1024]",
        Limit.read(MATRIX),
        in -> List.of(matrix(in, 1).then(new ReduceMax(List.of(1), false))));
  }

  private static void norms() {
    add(
        "layer-norm-grad",
        "Gradient of layer normalisation of [4096, 1024]",
        Limit.triad(3 * MATRIX),
        in ->
            List.of(
                matrix(in, 1)
                    .then(
                        new LayerNormGrad(),
                        in.uniform(2, COLUMNS),
                        in.uniform(3, ROWS),
                        in.uniform(4, ROWS),
                        matrix(in, 5))));
    add(
        "rms-norm",
        "RMS normalisation of [4096, 1024]",
        Limit.copy(2 * MATRIX),
        in -> List.of(matrix(in, 1).then(new RmsNorm(1e-5), in.uniform(2, COLUMNS), null)));
    add(
        "batch-norm",
        "Batch normalisation of [8, 56, 56, 64] in training",
        Limit.copy(2 * PIXELS),
        in ->
            List.of(
                images(in, 1)
                    .then(
                        new BatchNorm(1e-5, 0.1),
                        in.uniform(2, CHANNELS),
                        in.uniform(3, CHANNELS),
                        in.stored(Storage.STATE, new float[CHANNELS]),
                        in.stored(new Storage("variance", Storage.STATE.element()), ones()))));
    add(
        "batch-norm-grad",
        "Gradient of batch normalisation of [8, 56, 56, 64]",
        Limit.triad(3 * PIXELS),
        in ->
            List.of(
                images(in, 1)
                    .then(
                        new BatchNormGrad(),
                        in.uniform(2, CHANNELS),
                        in.uniform(3, CHANNELS),
                        in.uniform(4, CHANNELS),
                        images(in, 5))));
  }

  private static float[] ones() {
    float[] values = new float[CHANNELS];
    Arrays.fill(values, 1);
    return values;
  }

  private static void losses() {
    add(
        "softmax-cross-entropy",
        "Loss and gradient of [4096, 1024] against classes",
        Limit.copy(2 * MATRIX),
        in -> {
          Node logits = matrix(in, 1);
          Node loss =
              logits.then(new SoftmaxCrossEntropy(0), in.indices(2, COLUMNS, ROWS), (Node) null);
          return List.of(loss, loss.application().output(1));
        });
    add(
        "huber",
        "Huber loss of each difference of two [4096, 1024]",
        Limit.triad(3 * MATRIX),
        in -> List.of(matrix(in, 1).then(new Sub(), matrix(in, 2)).then(new Huber(0.5))));
  }

  private static void products() {
    add(
        "linear",
        "relu([256, 1024]·[1024, 1024] + bias)",
        Limit.arithmetic(2.0 * 256 * 1024 * 1024),
        in ->
            List.of(
                in.uniform(1, 256, 1024)
                    .then(
                        new Linear(FusedActivation.RELU),
                        in.weights(2, 1024, 1024, 1024),
                        in.uniform(3, 1024))));
    add(
        "global-norm",
        "Euclidean norm of 10 million numbers",
        Limit.read(4e7),
        in -> List.of(in.uniform(1, 10_000_000).then(new GlobalNorm())));
  }

  private static void convolutions() {
    add(
        "conv2d",
        "Convolution 3×3 of [8, 56, 56, 64] to 64",
        Limit.arithmetic(CONV),
        in -> List.of(images(in, 1).then(new Conv2d(SAME), kernel(in), in.uniform(3, CHANNELS))));
    add(
        "conv2d-input-grad",
        "Its gradient in the images",
        Limit.arithmetic(CONV),
        in -> List.of(images(in, 1).then(new Conv2dInputGrad(SAME, 1, imageType()), kernel(in))));
    add(
        "conv2d-weight-grad",
        "Its gradient in kernel and bias",
        Limit.arithmetic(CONV),
        in ->
            List.of(
                images(in, 1)
                    .then(
                        new Conv2dWeightGrad(
                            SAME, 1, TensorType.of(3, 3, CHANNELS, CHANNELS), true),
                        images(in, 2))));
    add(
        "conv2d-1x1",
        "Convolution 1×1 of [8, 56, 56, 64] to 64",
        Limit.arithmetic(CONV / 9),
        in ->
            List.of(
                images(in, 1)
                    .then(
                        new Conv2d(Window2d.valid(1, 1)),
                        in.weights(2, CHANNELS, 1, 1, CHANNELS, CHANNELS),
                        in.uniform(3, CHANNELS))));
    add(
        "conv2d-grouped",
        "Convolution 3×3 of [8, 56, 56, 64] in 4 groups",
        Limit.arithmetic(CONV / 4),
        in ->
            List.of(
                images(in, 1)
                    .then(
                        new Conv2d(SAME, 4),
                        in.weights(2, 9 * CHANNELS / 4, 3, 3, CHANNELS / 4, CHANNELS),
                        in.uniform(3, CHANNELS))));
    add(
        "conv2d-depthwise",
        "Depthwise convolution 3×3 of [8, 56, 56, 64]",
        Limit.copy(2 * PIXELS),
        in ->
            List.of(
                images(in, 1)
                    .then(
                        new Conv2d(SAME, CHANNELS),
                        in.weights(2, 9, 3, 3, 1, CHANNELS),
                        in.uniform(3, CHANNELS))));
    add(
        "conv-transpose2d",
        "Transposed convolution 3×3 of [8, 56, 56, 64] to 64",
        Limit.arithmetic(CONV),
        in ->
            List.of(
                images(in, 1)
                    .then(new ConvTranspose2d(SAME), kernel(in), in.uniform(3, CHANNELS))));
  }

  private static Node kernel(GraphTask.Inputs in) {
    return in.weights(2, 9 * CHANNELS, 3, 3, CHANNELS, CHANNELS);
  }

  private static void pooling() {
    add(
        "max-pool2d",
        "Max pool 2×2 of [8, 56, 56, 64]",
        Limit.copy(1.25 * PIXELS),
        in -> List.of(images(in, 1).then(new MaxPool2d(2, 2, POOL))));
    add(
        "max-pool2d-grad",
        "Max pool and its gradient",
        Limit.triad(3.75 * PIXELS),
        in -> {
          Node x = images(in, 1);
          Node y = x.then(new MaxPool2d(2, 2, POOL));
          return List.of(x.then(new MaxPool2dGrad(2, 2, POOL), y, halfImages(in, 2)), y);
        });
    add(
        "average-pool2d",
        "Average pool 2×2 of [8, 56, 56, 64]",
        Limit.copy(1.25 * PIXELS),
        in -> List.of(images(in, 1).then(new AveragePool2d(2, 2, POOL, true))));
    add(
        "average-pool2d-grad",
        "Gradient of the average pool",
        Limit.copy(1.25 * PIXELS),
        in ->
            List.of(halfImages(in, 1).then(new AveragePool2dGrad(2, 2, POOL, true, imageType()))));
    add(
        "global-average-pool",
        "Means of [8, 56, 56, 64] over the pixels",
        Limit.read(PIXELS),
        in -> List.of(images(in, 1).then(new GlobalAveragePool())));
  }

  private static Node halfImages(GraphTask.Inputs in, long seed) {
    return in.uniform(seed, IMAGES, SIDE / 2, SIDE / 2, CHANNELS);
  }

  private static void moving() {
    matrix("transpose", new Transpose(List.of(1, 0)));
    add(
        "concat",
        "Two [4096, 1024] side by side",
        Limit.copy(4 * MATRIX),
        in -> List.of(matrix(in, 1).then(new Concat(1), matrix(in, 2))));
    add(
        "split",
        "[4096, 1024] in two halves of columns",
        Limit.copy(2 * MATRIX),
        in -> {
          Node half = matrix(in, 1).then(Split.even(1, 2, COLUMNS / 2));
          return List.of(half, half.application().output(1));
        });
    add(
        "slice",
        "Every other row of [4096, 1024]",
        Limit.copy(MATRIX),
        in ->
            List.of(
                matrix(in, 1)
                    .then(
                        new Slice(
                            List.of(0L, 0L),
                            List.of((long) ROWS, (long) COLUMNS),
                            List.of(2L, 1L)))));
    add(
        "pad",
        "[4096, 1024] with a frame of one zero",
        Limit.copy(2 * MATRIX),
        in ->
            List.of(
                matrix(in, 1).then(new Pad(List.of(1L, 1L), List.of(1L, 1L), Pad.Mode.VALUE, 0))));
    add(
        "gather",
        "4096 rows of [4096, 1024]",
        Limit.copy(2 * MATRIX),
        in -> List.of(matrix(in, 1).then(new Gather(0), in.indices(2, ROWS, ROWS))));
    add(
        "embedding",
        "4096 rows of 256 out of 30,000",
        Limit.copy(2.0 * 4 * ROWS * 256),
        in ->
            List.of(in.indices(1, 30_000, ROWS).then(new Embedding(), in.uniform(2, 30_000, 256))));
    add(
        "embedding-grad",
        "Its gradient in the table",
        Limit.copy(4.0 * 30_000 * 256 + 4.0 * ROWS * 256),
        in ->
            List.of(
                in.indices(1, 30_000, ROWS)
                    .then(
                        new EmbeddingGrad(Embedding.NONE, TensorType.of(30_000, 256)),
                        in.uniform(2, ROWS, 256))));
  }

  private static void recurrent() {
    double gates = 2.0 * 32 * 64 * 256 * 256 * 2;
    add(
        "lstm",
        "LSTM, 256 units, batch 32, 64 steps: forward",
        Limit.arithmetic(4 * gates),
        in ->
            List.of(
                in.uniform(1, 32, 64, 256)
                    .then(
                        new Lstm(),
                        in.weights(2, 256, 256, 1024),
                        in.weights(3, 256, 256, 1024),
                        in.uniform(4, 1024),
                        null,
                        null)));
    add(
        "gru",
        "GRU, 256 units, batch 32, 64 steps: forward",
        Limit.arithmetic(3 * gates),
        in ->
            List.of(
                in.uniform(1, 32, 64, 256)
                    .then(
                        new Gru(),
                        in.weights(2, 256, 256, 768),
                        in.weights(3, 256, 256, 768),
                        in.uniform(4, 768),
                        in.uniform(5, 768),
                        null)));
  }

  private static void updates() {
    add(
        "adam.11k",
        "Adam over the seed network's 11,274 parameters",
        Limit.triad(7.0 * 4 * 11_274),
        in -> CremaEngine.adam(11_274, in));
    add(
        "sgd",
        "Gradient descent over 10 million parameters",
        Limit.triad(3.0 * 4e7),
        in -> {
          Node w = in.stored(Storage.PARAMETERS, Data.uniform(1, 10_000_000));
          Node g = in.stored(Storage.GRADIENTS, Data.uniform(2, 10_000_000));
          Node hyper = in.stored(Storage.HYPER, new float[] {1e-6f, 1, 1, 1});
          in.graph().apply(new Sgd(0), w, g, hyper, null);
          return List.of(w);
        });
    add(
        "layer-norm",
        "Layer normalisation of [4096, 1024] without gamma and beta",
        Limit.copy(2 * MATRIX),
        in -> List.of(matrix(in, 1).then(new LayerNorm(1e-5), null, null)));
  }
}
