package dev.crema.bench;

import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.op.FusedActivation;
import dev.crema.op.GlobalNorm;
import dev.crema.op.Gru;
import dev.crema.op.Linear;
import dev.crema.op.Lstm;
import dev.crema.op.Sgd;
import java.util.List;

/** Products, recurrent layers and updates of parameters. */
final class LayerKernels {
  private LayerKernels() {}

  static void addTo(KernelList list) {
    products(list);
    recurrent(list);
    updates(list);
  }

  private static void products(KernelList list) {
    list.add(
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
    list.add(
        "global-norm",
        "Euclidean norm of 10 million numbers",
        Limit.read(4e7),
        in -> List.of(in.uniform(1, 10_000_000).then(new GlobalNorm())));
  }

  private static void recurrent(KernelList list) {
    double gates = 2.0 * 32 * 64 * 256 * 256 * 2;
    list.add(
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
    list.add(
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

  private static void updates(KernelList list) {
    list.add(
        "adam.11k",
        "Adam over the seed network's 11,274 parameters",
        Limit.triad(7.0 * 4 * 11_274),
        in -> CremaOperations.adam(11_274, in));
    list.add(
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
  }
}
