package dev.crema.bench.peers;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.crema.bench.Problem;
import dev.crema.bench.Task;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Set;

/** A product of bytes by ONNX Runtime, x and y bound once. */
@SuppressWarnings("try") // the result is bound to y
final class OnnxBytes implements Task {
  private final OrtSession session;
  private final ByteBuffer y;
  private final OnnxTensor input;
  private final OnnxTensor output;

  OnnxBytes(Problem.Int8Product p, int threads) throws OrtException {
    this.session = OnnxRuntime.session(OnnxInt8.product(p), threads);
    ByteBuffer x = ByteBuffer.allocateDirect(p.m() * p.k()).put(0, p.x());
    this.y = ByteBuffer.allocateDirect(p.m() * p.n());
    this.input = tensor(x, p.m(), p.k());
    this.output = tensor(y, p.m(), p.n());
  }

  private static OnnxTensor tensor(ByteBuffer bytes, long... dims) throws OrtException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    return OnnxTensor.createTensor(environment, bytes, dims, OnnxJavaType.UINT8);
  }

  @Override
  public float[] check() {
    run();
    float[] values = new float[y.capacity()];
    for (int i = 0; i < values.length; i++) {
      values[i] = y.get(i) & 255;
    }
    return values;
  }

  @Override
  public void run() {
    try (OrtSession.Result result =
        session.run(Map.of("x", input), Set.of(), Map.of("y", output))) {
      // the result is bound to y
    } catch (OrtException e) {
      throw new IllegalStateException(e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    input.close();
    output.close();
    try {
      session.close();
    } catch (OrtException e) {
      throw new IllegalStateException(e.getMessage(), e);
    }
  }
}
