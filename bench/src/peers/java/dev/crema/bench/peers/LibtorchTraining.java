package dev.crema.bench.peers;

import dev.crema.bench.Problem;
import dev.crema.bench.Task;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Adam;
import org.bytedeco.pytorch.AdamOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Training steps of libtorch. */
@SuppressWarnings("try") // a scope frees what is made in it
final class LibtorchTraining implements Task {
  private final TorchNetwork network;
  private final TorchAdam fused; // null: torch::optim's is used
  private final Adam plain;
  private final Tensor x;
  private final Tensor target;

  /**
   * @param fused whether one kernel updates all parameters, or torch::optim's Adam does
   */
  LibtorchTraining(Problem.Training problem, boolean fused) {
    this.network = new TorchNetwork(problem.network(), problem.network().weights(), true);
    this.fused = fused ? new TorchAdam(network.parameters()) : null;
    this.plain = fused ? null : new Adam(vector(network.parameters()), new AdamOptions(0.001));
    this.x = network.input(problem.network().examples(problem.batch()), problem.batch());
    this.target = TorchTensors.longs(problem.network().classes(problem.batch()));
  }

  private static TensorVector vector(List<Tensor> tensors) {
    return new TensorVector(tensors.toArray(new Tensor[0]));
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
    if (fused == null) {
      plain.zero_grad();
    } else {
      fused.zeroGrad();
    }
    Tensor loss = torch.cross_entropy_loss(network.logits(examples), classes);
    loss.backward();
    if (fused == null) {
      plain.step();
    } else {
      fused.step();
    }
    return loss;
  }

  @Override
  public void close() {
    if (fused == null) {
      plain.close();
    } else {
      fused.close();
    }
    target.close();
    x.close();
    network.close();
  }
}
