package dev.crema.bench.peers;

import java.util.ArrayList;
import java.util.List;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.ndarray.buffer.FloatDataBuffer;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.proto.ConfigProto;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/** A graph with the tensors that it is fed in every run. */
final class TensorflowGraph implements AutoCloseable {
  private record Fed(Operand<?> input, Tensor tensor) {}

  private final Graph graph = new Graph();
  private final Ops ops = Ops.create(graph);
  private final List<Fed> fed = new ArrayList<>();
  private final List<Op> targets = new ArrayList<>();

  Graph graph() {
    return graph;
  }

  Ops ops() {
    return ops;
  }

  /** What is fed; its shape is known to the graph. */
  Operand<TFloat32> input(float[] values, long... dims) {
    Shape shape = Shape.of(dims);
    Operand<TFloat32> input = ops.placeholder(TFloat32.class, Placeholder.shape(shape));
    fed.add(new Fed(input, TFloat32.tensorOf(shape, DataBuffers.of(values))));
    return input;
  }

  Operand<TInt32> input(int[] values) {
    Shape shape = Shape.of(values.length);
    Operand<TInt32> input = ops.placeholder(TInt32.class, Placeholder.shape(shape));
    fed.add(new Fed(input, TInt32.vectorOf(values)));
    return input;
  }

  Operand<TFloat32> constant(float[] values, long... dims) {
    return ops.constant(Shape.of(dims), DataBuffers.of(values));
  }

  /** What a run may change; starts with these values. */
  Operand<TFloat32> variable(float[] values, long... dims) {
    return ops.variable(constant(values, dims));
  }

  /** Has every run compute that too. */
  void alsoRun(Op target) {
    targets.add(target);
  }

  /** The memory of what is fed to an input. */
  FloatDataBuffer memory(Operand<TFloat32> input) {
    for (Fed f : fed) {
      if (f.input.equals(input)) {
        return floats(f.tensor);
      }
    }
    throw new IllegalArgumentException("Nothing is fed to " + input);
  }

  static FloatDataBuffer floats(Tensor tensor) {
    return tensor.asRawTensor().data().asFloats();
  }

  /** With so many threads; one computes where it is called, without handing over to another. */
  Session session(int threads) {
    ConfigProto config =
        ConfigProto.newBuilder()
            .setIntraOpParallelismThreads(threads)
            .setInterOpParallelismThreads(threads == 1 ? -1 : threads)
            .build();
    return new Session(graph, config);
  }

  /** Feeds the inputs and gives y; runs as often as one likes. */
  Session.Runner runner(Session session, Operand<?> y) {
    Session.Runner runner = session.runner().fetch(y);
    fed.forEach(f -> runner.feed(f.input, f.tensor));
    targets.forEach(runner::addTarget);
    return runner;
  }

  @Override
  public void close() {
    fed.forEach(f -> f.tensor.close());
    graph.close();
  }
}
