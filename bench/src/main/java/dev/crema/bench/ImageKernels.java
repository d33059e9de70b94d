package dev.crema.bench;

import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.op.AveragePool2d;
import dev.crema.op.AveragePool2dGrad;
import dev.crema.op.Conv2d;
import dev.crema.op.Conv2dInputGrad;
import dev.crema.op.Conv2dWeightGrad;
import dev.crema.op.ConvTranspose2d;
import dev.crema.op.GlobalAveragePool;
import dev.crema.op.MaxPool2d;
import dev.crema.op.MaxPool2dGrad;
import dev.crema.op.Window2d;
import java.util.List;

/** Convolutions and pooling of images, channels last. */
final class ImageKernels {
  private static final Window2d SAME = Window2d.valid(1, 1).padded(1, 1, 1, 1);
  private static final Window2d POOL = Window2d.valid(2, 2);
  private static final double CONV =
      2.0
          * KernelList.IMAGES
          * KernelList.SIDE
          * KernelList.SIDE
          * KernelList.CHANNELS
          * KernelList.CHANNELS
          * 9;

  private ImageKernels() {}

  static void addTo(KernelList list) {
    convolutions(list);
    pooling(list);
  }

  private static void convolutions(KernelList list) {
    list.add(
        "conv2d",
        "Convolution 3×3 of [8, 56, 56, 64] to 64",
        Limit.arithmetic(CONV),
        in ->
            List.of(
                KernelList.images(in, 1)
                    .then(new Conv2d(SAME), kernel(in), in.uniform(3, KernelList.CHANNELS))));
    list.add(
        "conv2d-input-grad",
        "Its gradient in the images",
        Limit.arithmetic(CONV),
        in ->
            List.of(
                KernelList.images(in, 1)
                    .then(new Conv2dInputGrad(SAME, 1, imageType()), kernel(in))));
    list.add(
        "conv2d-weight-grad",
        "Its gradient in kernel and bias",
        Limit.arithmetic(CONV),
        in ->
            List.of(
                KernelList.images(in, 1)
                    .then(
                        new Conv2dWeightGrad(
                            SAME,
                            1,
                            TensorType.of(3, 3, KernelList.CHANNELS, KernelList.CHANNELS),
                            true),
                        KernelList.images(in, 2))));
    list.add(
        "conv2d-1x1",
        "Convolution 1×1 of [8, 56, 56, 64] to 64",
        Limit.arithmetic(CONV / 9),
        in ->
            List.of(
                KernelList.images(in, 1)
                    .then(
                        new Conv2d(Window2d.valid(1, 1)),
                        in.weights(
                            2, KernelList.CHANNELS, 1, 1, KernelList.CHANNELS, KernelList.CHANNELS),
                        in.uniform(3, KernelList.CHANNELS))));
    list.add(
        "conv2d-grouped",
        "Convolution 3×3 of [8, 56, 56, 64] in 4 groups",
        Limit.arithmetic(CONV / 4),
        in ->
            List.of(
                KernelList.images(in, 1)
                    .then(
                        new Conv2d(SAME, 4),
                        in.weights(
                            2,
                            9 * KernelList.CHANNELS / 4,
                            3,
                            3,
                            KernelList.CHANNELS / 4,
                            KernelList.CHANNELS),
                        in.uniform(3, KernelList.CHANNELS))));
    list.add(
        "conv2d-depthwise",
        "Depthwise convolution 3×3 of [8, 56, 56, 64]",
        Limit.copy(2 * KernelList.PIXELS),
        in ->
            List.of(
                KernelList.images(in, 1)
                    .then(
                        new Conv2d(SAME, KernelList.CHANNELS),
                        in.weights(2, 9, 3, 3, 1, KernelList.CHANNELS),
                        in.uniform(3, KernelList.CHANNELS))));
    list.add(
        "conv-transpose2d",
        "Transposed convolution 3×3 of [8, 56, 56, 64] to 64",
        Limit.arithmetic(CONV),
        in ->
            List.of(
                KernelList.images(in, 1)
                    .then(
                        new ConvTranspose2d(SAME),
                        kernel(in),
                        in.uniform(3, KernelList.CHANNELS))));
  }

  private static void pooling(KernelList list) {
    list.add(
        "max-pool2d",
        "Max pool 2×2 of [8, 56, 56, 64]",
        Limit.copy(1.25 * KernelList.PIXELS),
        in -> List.of(KernelList.images(in, 1).then(new MaxPool2d(2, 2, POOL))));
    list.add(
        "max-pool2d-grad",
        "Max pool and its gradient",
        Limit.triad(3.75 * KernelList.PIXELS),
        in -> {
          Node x = KernelList.images(in, 1);
          Node y = x.then(new MaxPool2d(2, 2, POOL));
          return List.of(x.then(new MaxPool2dGrad(2, 2, POOL), y, halfImages(in, 2)), y);
        });
    list.add(
        "average-pool2d",
        "Average pool 2×2 of [8, 56, 56, 64]",
        Limit.copy(1.25 * KernelList.PIXELS),
        in -> List.of(KernelList.images(in, 1).then(new AveragePool2d(2, 2, POOL, true))));
    list.add(
        "average-pool2d-grad",
        "Gradient of the average pool",
        Limit.copy(1.25 * KernelList.PIXELS),
        in ->
            List.of(halfImages(in, 1).then(new AveragePool2dGrad(2, 2, POOL, true, imageType()))));
    list.add(
        "global-average-pool",
        "Means of [8, 56, 56, 64] over the pixels",
        Limit.read(KernelList.PIXELS),
        in -> List.of(KernelList.images(in, 1).then(new GlobalAveragePool())));
  }

  private static Node kernel(GraphTask.Inputs in) {
    return in.weights(2, 9 * KernelList.CHANNELS, 3, 3, KernelList.CHANNELS, KernelList.CHANNELS);
  }

  private static TensorType imageType() {
    return TensorType.of(KernelList.IMAGES, KernelList.SIDE, KernelList.SIDE, KernelList.CHANNELS);
  }

  private static Node halfImages(GraphTask.Inputs in, long seed) {
    return in.uniform(
        seed, KernelList.IMAGES, KernelList.SIDE / 2, KernelList.SIDE / 2, KernelList.CHANNELS);
  }
}
