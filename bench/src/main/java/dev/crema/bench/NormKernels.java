package dev.crema.bench;

import dev.crema.graph.Storage;
import dev.crema.op.BatchNorm;
import dev.crema.op.BatchNormGrad;
import dev.crema.op.LayerNorm;
import dev.crema.op.LayerNormGrad;
import dev.crema.op.RmsNorm;
import java.util.Arrays;
import java.util.List;

/** Normalisations and their gradients. */
final class NormKernels {
  private NormKernels() {}

  static void addTo(KernelList list) {
    norms(list);
  }

  private static void norms(KernelList list) {
    list.add(
        "layer-norm",
        "Layer normalisation of [4096, 1024] without gamma and beta",
        Limit.copy(2 * KernelList.MATRIX),
        in -> List.of(KernelList.matrix(in, 1).then(new LayerNorm(1e-5), null, null)));
    list.add(
        "layer-norm-grad",
        "Gradient of layer normalisation of [4096, 1024]",
        Limit.triad(3 * KernelList.MATRIX),
        in ->
            List.of(
                KernelList.matrix(in, 1)
                    .then(
                        new LayerNormGrad(),
                        in.uniform(2, KernelList.COLUMNS),
                        in.uniform(3, KernelList.ROWS),
                        in.uniform(4, KernelList.ROWS),
                        KernelList.matrix(in, 5))));
    list.add(
        "rms-norm",
        "RMS normalisation of [4096, 1024]",
        Limit.copy(2 * KernelList.MATRIX),
        in ->
            List.of(
                KernelList.matrix(in, 1)
                    .then(new RmsNorm(1e-5), in.uniform(2, KernelList.COLUMNS), null)));
    list.add(
        "batch-norm",
        "Batch normalisation of [8, 56, 56, 64] in training",
        Limit.copy(2 * KernelList.PIXELS),
        in ->
            List.of(
                KernelList.images(in, 1)
                    .then(
                        new BatchNorm(1e-5, 0.1),
                        in.uniform(2, KernelList.CHANNELS),
                        in.uniform(3, KernelList.CHANNELS),
                        in.stored(Storage.STATE, new float[KernelList.CHANNELS]),
                        in.stored(new Storage("variance", Storage.STATE.element()), ones()))));
    list.add(
        "batch-norm-grad",
        "Gradient of batch normalisation of [8, 56, 56, 64]",
        Limit.triad(3 * KernelList.PIXELS),
        in ->
            List.of(
                KernelList.images(in, 1)
                    .then(
                        new BatchNormGrad(),
                        in.uniform(2, KernelList.CHANNELS),
                        in.uniform(3, KernelList.CHANNELS),
                        in.uniform(4, KernelList.CHANNELS),
                        KernelList.images(in, 5))));
  }

  private static float[] ones() {
    float[] values = new float[KernelList.CHANNELS];
    Arrays.fill(values, 1);
    return values;
  }
}
