package dev.crema.bench.peers;

import dev.crema.bench.Problem;
import dev.crema.bench.Task;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Training steps of libtorch. */
@SuppressWarnings("try") // a scope frees what is made in it
final class LibtorchTraining implements Task {
  private final TorchNetwork network;
  private final TorchAdam optimizer;
  private final Tensor x;
  private final Tensor target;

  LibtorchTraining(Problem.Training problem) {
    this.network = new TorchNetwork(problem.network(), true);
    this.optimizer = new TorchAdam(network.parameters());
    this.x = network.input(problem.network().examples(problem.batch()), problem.batch());
    this.target = TorchTensors.longs(problem.network().classes(problem.batch()));
  }

  @Override
  public float[] check() {
    float[] losses = new float[Problem.Training.STEPS];
    for (int i = 0; i < losses.length; i++) {
      try (PointerScope ignored = new PointerScope()) {
        losses[i] = step(x, target).item_float();
      }
    }
    return losses;
  }

  @Override
  public void run() {
    try (PointerScope ignored = new PointerScope()) {
      step(x, target);
    }
  }

  /** One step with another batch; gives the loss before it. */
  float step(float[] examples, int[] classes) {
    try (PointerScope ignored = new PointerScope()) {
      Tensor batch = network.input(examples, classes.length);
      return step(batch, TorchTensors.longs(classes)).item_float();
    }
  }

  private Tensor step(Tensor examples, Tensor classes) {
    optimizer.zeroGrad();
    Tensor loss = torch.cross_entropy_loss(network.logits(examples), classes);
    loss.backward();
    optimizer.step();
    return loss;
  }

  @Override
  public void close() {
    optimizer.close();
    target.close();
    x.close();
    network.close();
  }
}
