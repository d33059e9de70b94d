package dev.crema.bench.peers;

import dev.crema.bench.Network;
import dev.crema.bench.Problem;
import java.util.List;
import org.tensorflow.Operand;
import org.tensorflow.Output;
import org.tensorflow.op.Ops;
import org.tensorflow.op.nn.SparseSoftmaxCrossEntropyWithLogits;
import org.tensorflow.types.TFloat32;

/** Training steps of TensorFlow: forward, backward and update in one graph. */
final class TensorflowTraining extends TensorflowTask {
  TensorflowTraining(Problem.Training problem, int threads) {
    this(new TensorflowGraph(), problem, threads);
  }

  private TensorflowTraining(TensorflowGraph graph, Problem.Training problem, int threads) {
    super(graph, loss(graph, problem.network(), problem.batch()), threads);
  }

  /** Adds the step to the graph and gives the mean loss before it. */
  private static Operand<TFloat32> loss(TensorflowGraph graph, Network network, int batch) {
    Ops tf = graph.ops();
    TensorflowNetwork layers = new TensorflowNetwork(graph, network, network.weights(), true);
    float[] examples = network.examples(batch);
    Operand<TFloat32> logits =
        layers.logits(TensorflowNetwork.input(graph, network, examples, batch));
    SparseSoftmaxCrossEntropyWithLogits<TFloat32> losses =
        tf.nn.sparseSoftmaxCrossEntropyWithLogits(logits, graph.input(network.classes(batch)));
    Operand<TFloat32> flow = tf.math.mul(losses.backprop(), tf.constant(1f / batch));
    List<Operand<TFloat32>> parameters = layers.parameters();
    Output<?>[] gradients =
        graph
            .graph()
            .addGradients(
                "gradients",
                new Output<?>[] {logits.asOutput()},
                parameters.stream().map(Operand::asOutput).toArray(Output<?>[]::new),
                new Output<?>[] {flow.asOutput()});
    TensorflowAdam.update(graph, parameters, List.of(gradients));
    return tf.math.mean(losses.loss(), tf.constant(0));
  }

  @Override
  public float[] check() {
    float[] losses = new float[Problem.Training.STEPS];
    for (int i = 0; i < losses.length; i++) {
      losses[i] = values()[0];
    }
    return losses;
  }
}
