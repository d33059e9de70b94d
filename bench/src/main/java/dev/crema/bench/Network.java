package dev.crema.bench;

import dev.crema.nn.BuiltIn;
import dev.crema.nn.Model;
import dev.crema.nn.Topology;
import java.util.ArrayList;
import java.util.List;

/** The networks that are trained and asked, on real digits. */
public enum Network {
  /** Dense 100-64-64-10, ReLU. */
  SEED_MLP(true, new int[] {100, 64, 64, 10}),
  /** Dense 784-1024-1024-10, ReLU. */
  MLP(false, new int[] {784, 1024, 1024, 10}),
  /** Dense 100-3072-3072-10, ReLU: 39 MB of weights, which take about 1 ms to read. */
  HEAVY_MLP(true, new int[] {100, 3072, 3072, 10}),
  /**
   * Convolution 5×5 to 32 channels, max pool 2, convolution 5×5 to 64, max pool 2, Dense 512, Dense
   * 10, ReLU; no padding.
   */
  LENET(false, null),
  /** LeNet-5 as {@link BuiltIn} has it: 6 and 16 channels, Dense 120, 84, 10. */
  LENET5(false, null),
  /**
   * ResNet-18 at a quarter of its width, {@link BuiltIn}'s {@code resnet18-small} of 16, 32, 64 and
   * 128 channels, on images of 28×28; normalisations are folded into the convolutions.
   */
  RESNET(false, null);

  public static final int CLASSES = 10;
  private static final long SEED = 1;

  private final boolean small;
  private final int[] widths;

  Network(boolean small, int[] widths) {
    this.small = small;
    this.widths = widths;
  }

  /**
   * The network with its initial weights, the same for every engine. Kernels of dense layers are
   * [in, out], of convolutions [height, width, in, out]; parameters lie layer by layer, kernel then
   * bias. The caller closes it.
   */
  public Model model() {
    return NetworkModels.of(this, SEED);
  }

  /** The initial weights, layer by layer, kernel then bias. */
  public List<Weights> weights() {
    try (Model model = model()) {
      return model.table().all().stream()
          .map(p -> new Weights(model.get(p.path()), p.type().at(0).dims()))
          .toList();
    }
  }

  /** Widths of a dense network, inputs first; null for a convolutional one. */
  public int[] widths() {
    return widths == null ? null : widths.clone();
  }

  /** Whether every layer reads the layer before it and nothing else. */
  public boolean isSequence() {
    return this != RESNET;
  }

  /** The layers and what each of them reads. */
  public Topology topology() {
    try (Model model = model()) {
      return model.topology();
    }
  }

  /** Numbers of one example; images are [28, 28, 1]. */
  public int inputs() {
    return small ? 100 : 784;
  }

  /** The first examples, [rows, inputs]. */
  public float[] examples(int rows) {
    return batch(rows).x();
  }

  /** Their classes. */
  public int[] classes(int rows) {
    return batch(rows).classes();
  }

  private Data.Batch batch(int rows) {
    return Data.digits(small, rows);
  }

  /** Multiplications of a forward pass, one example, layer by layer. */
  long[] products() {
    return switch (this) {
      case SEED_MLP -> new long[] {100 * 64, 64 * 64, 64 * 10};
      case MLP -> new long[] {784 * 1024, 1024 * 1024, 1024 * 10};
      case HEAVY_MLP -> new long[] {100 * 3072, 3072 * 3072, 3072 * 10};
      case LENET -> new long[] {24 * 24 * 32 * 25, 8 * 8 * 64 * 25 * 32, 1024 * 512, 512 * CLASSES};
      case LENET5 ->
          new long[] {28 * 28 * 6 * 25, 10 * 10 * 16 * 25 * 6, 400 * 120, 120 * 84, 84 * CLASSES};
      case RESNET -> residual();
    };
  }

  /** A stem, and stages of two blocks that halve the sides; a projection where they do. */
  private static long[] residual() {
    List<Long> layers = new ArrayList<>(List.of(28L * 28 * 16 * 9));
    int before = 16;
    for (int stage = 0; stage < 4; stage++) {
      int channels = 16 << stage;
      int side = (27 >> stage) + 1;
      long first = (long) side * side * channels * before;
      long inner = (long) side * side * channels * channels * 9;
      layers.addAll(List.of(9 * first, inner, inner, inner));
      if (before != channels) {
        layers.add(first);
      }
      before = channels;
    }
    layers.add((long) before * CLASSES);
    return layers.stream().mapToLong(Long::longValue).toArray();
  }

  long parameters() {
    try (Model model = model()) {
      return model.parameters().byteSize() / 4;
    }
  }
}
