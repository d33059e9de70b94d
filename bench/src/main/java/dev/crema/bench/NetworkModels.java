package dev.crema.bench;

import dev.crema.compress.BatchNormFolding;
import dev.crema.nn.Activation;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.Conv2d;
import dev.crema.nn.Flatten;
import dev.crema.nn.MaxPool2d;
import dev.crema.nn.Model;
import dev.crema.nn.Topology;

/** The networks as models of Crema. */
final class NetworkModels {
  private NetworkModels() {}

  static Model of(Network network, long seed) {
    if (network == Network.LENET5) {
      long[] image = {28, 28, 1};
      return Model.of(
          BuiltIn.topology("lenet", image, BuiltIn.Output.CLASSES, Network.CLASSES), seed);
    }
    if (network == Network.RESNET) {
      long[] image = {28, 28, 1};
      Topology topology =
          BuiltIn.topology("resnet18-small", image, BuiltIn.Output.CLASSES, Network.CLASSES);
      try (Model model = Model.of(topology, seed)) {
        return BatchNormFolding.fold(model);
      }
    }
    if (network == Network.LENET) {
      return Model.sequential(28, 28, 1)
          .add(Conv2d.of(32, 5, Activation.RELU))
          .add(MaxPool2d.of(2))
          .add(Conv2d.of(64, 5, Activation.RELU))
          .add(MaxPool2d.of(2))
          .add(new Flatten())
          .dense(512, Activation.RELU)
          .dense(Network.CLASSES, Activation.SOFTMAX)
          .build(seed);
    }
    int[] widths = network.widths();
    return Model.sequential(widths[0])
        .dense(widths[1], Activation.RELU)
        .dense(widths[2], Activation.RELU)
        .dense(Network.CLASSES, Activation.SOFTMAX)
        .build(seed);
  }
}
