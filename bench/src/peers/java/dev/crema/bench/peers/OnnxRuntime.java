package dev.crema.bench.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.crema.bench.Engine;
import dev.crema.bench.Problem;
import dev.crema.bench.Task;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Map;
import java.util.Set;

/** ONNX Runtime: predictions only, every optimisation on, inputs and outputs bound once. */
public final class OnnxRuntime implements Engine {
  @Override
  public String name() {
    return "onnxruntime";
  }

  @Override
  public String version() {
    return "ONNX Runtime 1.29.0 (ORT_ENABLE_ALL, bound buffers)";
  }

  @Override
  public boolean supports(Problem problem) {
    return problem instanceof Problem.Prediction
        || problem instanceof Problem.Int8
        || problem instanceof Problem.Int8Product
        || problem instanceof Problem.QuantizedWeights q && q.dynamic()
        || problem instanceof Problem.ResidualBlock r && !r.backward()
        || problem instanceof Problem.Rowwise
        || problem instanceof Problem.MaxPool
        || problem instanceof Problem.Start;
  }

  @Override
  public Task prepare(Problem problem, int threads) {
    try {
      return problem instanceof Problem.Int8Product p
          ? new OnnxBytes(p, threads)
          : new Session(OnnxModels.of(problem), problem, threads);
    } catch (OrtException e) {
      throw new IllegalStateException(e.getMessage(), e);
    }
  }

  static OrtSession session(byte[] model, int threads) throws OrtException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(threads);
      options.setInterOpNumThreads(1);
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
      return OrtEnvironment.getEnvironment().createSession(model, options);
    }
  }

  @SuppressWarnings("try") // the result is bound to y
  private static final class Session implements Task {
    private final OnnxModels.Built built;
    private final OrtSession session;
    private final FloatBuffer y;
    private final float[] from;
    private final float[] to;
    private final FloatBuffer x;
    private final boolean arrays;
    private final Map<String, OnnxTensor> inputs;
    private final Map<String, OnnxTensor> outputs;

    Session(OnnxModels.Built built, Problem problem, int threads) throws OrtException {
      this.built = built;
      this.arrays =
          problem instanceof Problem.Prediction
              || problem instanceof Problem.Int8
              || problem instanceof Problem.QuantizedWeights;
      OrtEnvironment environment = OrtEnvironment.getEnvironment();
      this.session = session(built.model(), threads);
      this.from = built.input();
      this.x = direct(from.length);
      this.y = direct(elements(built.outputDims()));
      this.to = new float[y.capacity()];
      x.put(0, from);
      this.inputs = Map.of("x", OnnxTensor.createTensor(environment, x, built.inputDims()));
      this.outputs = Map.of("y", OnnxTensor.createTensor(environment, y, built.outputDims()));
    }

    private static FloatBuffer direct(int count) {
      return ByteBuffer.allocateDirect(4 * count).order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    private static int elements(long[] dims) {
      long n = 1;
      for (long d : dims) {
        n *= d;
      }
      return (int) n;
    }

    @Override
    public float[] check() {
      run();
      y.get(0, to);
      return built.reading().apply(to.clone());
    }

    @Override
    public void run() {
      if (arrays) {
        x.put(0, from);
      }
      try (OrtSession.Result result = session.run(inputs, Set.of(), outputs)) {
        if (arrays) {
          y.get(0, to);
        }
      } catch (OrtException e) {
        throw new IllegalStateException(e.getMessage(), e);
      }
    }

    @Override
    public void close() {
      inputs.values().forEach(OnnxTensor::close);
      outputs.values().forEach(OnnxTensor::close);
      try {
        session.close();
      } catch (OrtException e) {
        throw new IllegalStateException(e.getMessage(), e);
      }
    }
  }
}
