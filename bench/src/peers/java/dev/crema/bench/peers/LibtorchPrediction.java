package dev.crema.bench.peers;

import dev.crema.bench.Network;
import dev.crema.bench.Problem;
import dev.crema.bench.Task;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Predictions of libtorch: an array into a tensor that stays, an array out. */
@SuppressWarnings("try") // a scope frees what is made in it
final class LibtorchPrediction implements Task {
  private final InferenceMode mode = new InferenceMode(true); // of this thread
  private final TorchNetwork network;
  private final Tensor x;
  private final FloatPointer memory;
  private final float[] examples;
  private final float[] probabilities;

  LibtorchPrediction(Problem.Prediction problem) {
    this.network = new TorchNetwork(problem.network(), problem.weights(), false);
    this.examples = problem.examples();
    this.x = network.input(examples, problem.batch());
    this.memory = x.data_ptr_float().capacity(examples.length);
    this.probabilities = new float[problem.batch() * Network.CLASSES];
  }

  @Override
  public float[] check() {
    run();
    return probabilities.clone();
  }

  @Override
  public void run() {
    try (PointerScope ignored = new PointerScope()) {
      memory.position(0).put(examples);
      Tensor y = torch.softmax(network.logits(x), 1);
      y.data_ptr_float().capacity(probabilities.length).get(probabilities);
    }
  }

  @Override
  public void close() {
    x.close();
    network.close();
    mode.close();
  }
}
