package dev.crema.bench.peers;

import dev.crema.bench.Network;
import dev.crema.bench.Problem;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.ndarray.buffer.FloatDataBuffer;
import org.tensorflow.types.TFloat32;

/** Predictions of TensorFlow: an array into a tensor that stays, an array out. */
final class TensorflowPrediction extends TensorflowTask {
  private final float[] examples;
  private final float[] probabilities;
  private final FloatDataBuffer memory;

  TensorflowPrediction(Problem.Prediction problem, int threads) {
    this(problem, new TensorflowGraph(), threads);
  }

  private TensorflowPrediction(Problem.Prediction problem, TensorflowGraph graph, int threads) {
    this(
        problem,
        graph,
        TensorflowNetwork.input(graph, problem.network(), problem.examples(), problem.batch()),
        threads);
  }

  private TensorflowPrediction(
      Problem.Prediction problem, TensorflowGraph graph, Operand<TFloat32> x, int threads) {
    super(graph, probabilities(problem, graph, x), threads);
    this.examples = problem.examples();
    this.probabilities = new float[problem.batch() * Network.CLASSES];
    this.memory = graph.memory(x);
  }

  private static Operand<TFloat32> probabilities(
      Problem.Prediction p, TensorflowGraph graph, Operand<TFloat32> x) {
    TensorflowNetwork layers = new TensorflowNetwork(graph, p.network(), p.weights(), false);
    return graph.ops().nn.softmax(layers.logits(x));
  }

  @Override
  public void run() {
    memory.write(examples);
    try (Result result = result()) {
      TensorflowGraph.floats(result.get(0)).read(probabilities);
    }
  }
}
