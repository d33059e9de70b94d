package dev.crema.bench.peers;

import dev.crema.bench.Task;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.types.TFloat32;

/** A graph of TensorFlow that gives one tensor. */
class TensorflowTask implements Task {
  private final TensorflowGraph graph;
  private final Session session;
  private final Session.Runner runner;

  TensorflowTask(TensorflowGraph graph, Operand<TFloat32> y, int threads) {
    this.graph = graph;
    this.session = graph.session(threads);
    this.runner = graph.runner(session, y);
  }

  /** One call of the session; the caller closes what it gives. */
  final Result result() {
    return runner.run();
  }

  /** One call of the session; gives a copy of what it gives. */
  final float[] values() {
    try (Result result = result()) {
      Tensor tensor = result.get(0);
      float[] values = new float[(int) tensor.shape().size()];
      TensorflowGraph.floats(tensor).read(values);
      return values;
    }
  }

  @Override
  public float[] check() {
    return values();
  }

  @Override
  public void run() {
    result().close();
  }

  @Override
  public final void close() {
    session.close();
    graph.close();
  }
}
