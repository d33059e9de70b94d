package dev.crema.bench;

import static dev.crema.bench.Problem.Rowwise.Function.GELU;
import static dev.crema.bench.Problem.Rowwise.Function.LAYER_NORM;
import static dev.crema.bench.Problem.Rowwise.Function.SOFTMAX;

import java.util.ArrayList;
import java.util.List;

/** Everything that can be measured. */
final class Works {
  private static final List<Work> ALL = all();

  private Works() {}

  private static List<Work> all() {
    List<Work> works = new ArrayList<>();
    works.add(training("seed-mlp", "MLP 100-64-64-10", Network.SEED_MLP, 32));
    works.add(prediction("seed-mlp", "MLP 100-64-64-10", Network.SEED_MLP, 1));
    works.add(training("mlp", "MLP 784-1024-1024-10", Network.MLP, 256));
    for (int batch : new int[] {1, 8, 32, 256}) {
      works.add(prediction("mlp", "MLP 784-1024-1024-10", Network.MLP, batch));
    }
    works.add(bf16(training("mlp-bf16", "MLP 784-1024-1024-10", Network.MLP, 256), 0));
    for (int batch : new int[] {1, 8, 32, 256}) {
      Work work = prediction("mlp-bf16", "MLP 784-1024-1024-10", Network.MLP, batch);
      works.add(bf16(work, 2.0 * Network.MLP.parameters()));
    }
    for (int batch : new int[] {1, 8, 32, 256}) {
      works.add(int8(prediction("mlp-int8", "MLP 784-1024-1024-10", Network.MLP, batch)));
    }
    for (int batch : new int[] {1, 8, 32, 256}) {
      works.add(quantized("mlp-dynamic", batch, 8, true));
      works.add(quantized("mlp-weights8", batch, 8, false));
      works.add(quantized("mlp-weights4", batch, 4, false));
    }
    works.add(training("lenet", "LeNet 32-64-512", Network.LENET, 64));
    works.add(prediction("lenet", "LeNet 32-64-512", Network.LENET, 64));
    for (int batch : new int[] {1, 32}) {
      works.add(prediction("lenet", "LeNet 32-64-512", Network.LENET, batch));
      works.add(int8(prediction("lenet-int8", "LeNet 32-64-512", Network.LENET, batch)));
    }
    for (int batch : new int[] {1, 32}) {
      works.add(prediction("resnet", "ResNet-18 16-32-64-128", Network.RESNET, batch));
      works.add(int8(prediction("resnet-int8", "ResNet-18 16-32-64-128", Network.RESNET, batch)));
    }
    works.add(training("lenet5", "LeNet-5", Network.LENET5, 64));
    works.add(prediction("lenet5", "LeNet-5", Network.LENET5, 64));
    for (int batch : new int[] {1, 32}) {
      works.add(prediction("lenet5", "LeNet-5", Network.LENET5, batch));
      works.add(int8(prediction("lenet5-int8", "LeNet-5", Network.LENET5, batch)));
    }
    works.add(residual(false));
    works.add(residual(true));
    for (int n : new int[] {64, 128, 256, 512, 1024, 2048}) {
      works.add(matmul(n, n, n));
    }
    for (int m : new int[] {1, 8, 32, 256}) {
      works.add(matmul(m, 1024, 1024));
    }
    for (int m : new int[] {1, 8, 32, 256}) {
      works.add(sparseMatmul(m, 1024, 1024));
    }
    for (int m : new int[] {1, 8, 32, 256}) {
      works.add(int8Product(m, 1024, 1024));
    }
    works.add(adam(10_000_000));
    works.add(rowwise("softmax", SOFTMAX));
    works.add(rowwise("layer-norm", LAYER_NORM));
    works.add(rowwise("gelu", GELU));
    works.add(maxPool(64, 24, 32));
    works.add(lstm(256, 32, 64));
    works.add(start("first-prediction", "from the library's first call to its result", false));
    works.add(start("process", "from the start of the process to its end", true));
    Kernels.all()
        .forEach(
            (name, kernel) ->
                works.add(
                    new Work(
                        "kernel." + name,
                        kernel.description(),
                        new Problem.Kernel(name),
                        kernel.limit())));
    return List.copyOf(works);
  }

  static List<Work> list() {
    return ALL;
  }

  static Work named(String name) {
    return ALL.stream()
        .filter(w -> w.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("There is no work '" + name + "'"));
  }

  /** Works that a filter names: a whole name, or a part up to a dot. */
  static List<Work> matching(List<String> filters, boolean kernels) {
    if (filters.isEmpty()) {
      return ALL.stream().filter(w -> kernels || !(w.problem() instanceof Problem.Kernel)).toList();
    }
    return ALL.stream().filter(w -> filters.stream().anyMatch(f -> matches(w.name(), f))).toList();
  }

  private static boolean matches(String name, String filter) {
    return name.equals(filter) || name.startsWith(filter + ".");
  }

  private static Work training(String name, String description, Network network, int batch) {
    long[] layers = network.products();
    double products = 0;
    for (int i = 0; i < layers.length; i++) {
      products += layers[i] * (i == 0 ? 2 : 3); // no gradient in the examples
    }
    return new Work(
        name + ".train." + batch,
        description + ", batch " + batch + ": one training step (Adam)",
        new Problem.Training(network, batch),
        Limit.arithmetic(2 * products * batch));
  }

  private static Work prediction(String name, String description, Network network, int batch) {
    double products = 0;
    for (long layer : network.products()) {
      products += layer;
    }
    return new Work(
        name + ".predict." + batch,
        description + ", batch " + batch + ": one prediction",
        new Problem.Prediction(network, batch),
        Limit.weights(2 * products * batch, 4.0 * network.parameters()));
  }

  /** The same with products of bfloat16, whose weights have so many bytes. */
  private static Work bf16(Work work, double bytes) {
    return new Work(
        work.name(),
        work.description() + ", products of bfloat16",
        new Problem.Bfloat16(work.problem()),
        new Limit(work.limit().flops(), bytes, "read", "bf16"));
  }

  /** The same prediction in int8. */
  private static Work int8(Work work) {
    Problem.Prediction prediction = (Problem.Prediction) work.problem();
    return new Work(
        work.name(),
        work.description() + ", in int8",
        new Problem.Int8(prediction),
        new Limit(work.limit().flops(), prediction.network().parameters(), "read", "int8"));
  }

  /** The prediction of the wide MLP with weights of so many bits, on bytes or on float32. */
  private static Work quantized(String name, int batch, int bits, boolean dynamic) {
    Work work = prediction(name, "MLP 784-1024-1024-10", Network.MLP, batch);
    Problem.Prediction prediction = (Problem.Prediction) work.problem();
    double bytes = prediction.network().parameters() * bits / 8.0;
    return new Work(
        work.name(),
        work.description() + (dynamic ? ", in dynamic int8" : ", weights of int" + bits),
        new Problem.QuantizedWeights(prediction, bits, dynamic),
        new Limit(work.limit().flops(), bytes, "read", dynamic ? "int8" : "fma"));
  }

  private static Work int8Product(int m, int n, int k) {
    double bytes = (double) m * k + (double) k * n + (double) m * n;
    return new Work(
        "int8-matmul-" + m,
        "Product of bytes [" + m + ", " + k + "]·[" + k + ", " + n + "], ReLU, to bytes",
        new Problem.Int8Product(m, n, k),
        new Limit(2.0 * m * n * k, bytes, "read", "int8"));
  }

  private static Work residual(boolean backward) {
    Problem.ResidualBlock block = new Problem.ResidualBlock(64, 56, 8, backward);
    double products = 2.0 * 8 * 56 * 56 * 9 * 64 * 64;
    return new Work(
        "residual." + (backward ? "train" : "forward") + ".8",
        "Residual block, 64 channels, 56×56, batch 8: forward" + (backward ? " and backward" : ""),
        block,
        Limit.arithmetic(2 * products * (backward ? 3 : 1)));
  }

  private static Work matmul(int m, int n, int k) {
    String size = m == n && n == k ? "" + m : m + "x" + n + "x" + k;
    double bytes = 4.0 * ((double) m * k + (double) k * n + (double) m * n);
    Problem.MatMul problem = new Problem.MatMul(m, n, k);
    String stored = problem.isLayer() ? ", the second a stored weight" : "";
    return new Work(
        "matmul." + size,
        "Matrix product [" + m + ", " + k + "]·[" + k + ", " + n + "]" + stored,
        problem,
        Limit.weights(2.0 * m * n * k, bytes));
  }

  /** The limit is that of the weights that are not 0, each with an index of two bytes. */
  private static Work sparseMatmul(int m, int n, int k) {
    double weights = 0.1 * k * n;
    return new Work(
        "sparse-matmul." + m + "x" + n + "x" + k,
        "Product [" + m + ", " + k + "]·[" + k + ", " + n + "] by a stored weight, 90 % of it zero",
        new Problem.SparseMatMul(new Problem.MatMul(m, n, k)),
        Limit.weights(2 * weights * m, 6 * weights + 4.0 * m * (k + n)));
  }

  private static Work adam(int parameters) {
    return new Work(
        "adam." + parameters / 1_000_000 + "m",
        "Adam over " + parameters / 1_000_000 + " million parameters",
        new Problem.AdamUpdate(parameters),
        Limit.triad(7.0 * 4 * parameters)); // reads four arrays, writes three
  }

  private static Work rowwise(String name, Problem.Rowwise.Function function) {
    return new Work(
        name + ".4096x1024",
        name + " of 4096 rows of 1024",
        new Problem.Rowwise(function, 4096, 1024),
        Limit.copy(2.0 * 4 * 4096 * 1024));
  }

  private static Work start(String name, String from, boolean process) {
    return new Work(
        "load." + name,
        "A new JVM that loads the library, builds MLP 100-64-64-10 and predicts once: " + from,
        new Problem.Start(process),
        Limit.none());
  }

  private static Work maxPool(int batch, int side, int channels) {
    double in = 4.0 * batch * side * side * channels;
    return new Work(
        "max-pool.lenet",
        "Max pool 2×2 of [64, 24, 24, 32]",
        new Problem.MaxPool(batch, side, channels),
        Limit.copy(in * 1.25));
  }

  private static Work lstm(int units, int batch, int steps) {
    double products = (double) batch * steps * units * 4 * units * 2;
    return new Work(
        "lstm.train." + batch,
        "LSTM, 256 units, batch 32, 64 steps: forward and backward",
        new Problem.LstmLayer(units, batch, steps),
        Limit.arithmetic(2 * products * 3));
  }
}
