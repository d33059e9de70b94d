package dev.crema.nn;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.CremaException;
import dev.crema.io.Content;
import dev.crema.io.NamedTensor;
import dev.crema.io.Safetensors;
import dev.crema.io.TensorInfo;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Quantized kernels in files: {@code dense_1/kernel} as int8, {@code dense_1/kernel.scale} as
 * float32, a scale for each output (its last axis); of an embedding's table, a scale for each row.
 * In memory they are float32: the numbers that their file's int8 stand for.
 */
final class QuantizedTensors {
  static final String FIELD = "quantization";

  private static final String SCALE = ".scale";
  private static final int MOST = 127;
  private static final int CHUNK = 1 << 20; // elements

  private QuantizedTensors() {}

  static boolean isScaleOf(String name, Map<String, float[]> scales) {
    return name.endsWith(SCALE)
        && scales.containsKey(name.substring(0, name.length() - SCALE.length()));
  }

  /** The nearest int8 of a weight; as the kernel pack_quantized computes it. NaN becomes 0. */
  private static byte int8(float weight, float scale) {
    return (byte) Math.max(-MOST, Math.min(MOST, Math.rint(weight / scale)));
  }

  /** Replaces each weight by what its int8 stands for. */
  static void round(Model model, Parameter kernel, float[] scales) {
    long columns = kernel.type().extent(-1);
    model.overwrite(
        kernel,
        (from, bytes) -> {
          FloatBuffer floats = bytes.asFloatBuffer();
          for (int i = 0; i < floats.limit(); i++) {
            float scale = scales[Quantization.scaleOf(kernel.path(), columns, from / 4 + i)];
            floats.put(i, int8(floats.get(i), scale) * scale);
          }
        });
  }

  /** The tensors of a model's file: quantized kernels as int8, and their scales. */
  static List<NamedTensor> of(Model model, List<NamedTensor> floats) {
    if (model.quantization() == null) {
      return floats;
    }
    Map<String, float[]> scales = model.quantization().scales(model.topology(), model.table());
    List<NamedTensor> tensors = new ArrayList<>();
    for (NamedTensor t : floats) {
      float[] columns = scales.get(t.name());
      if (columns == null) {
        tensors.add(t);
        continue;
      }
      Parameter kernel = model.table().get(t.name());
      Content content = out -> write(model, kernel, columns, out);
      tensors.add(new NamedTensor(t.name(), ElementType.INT8, t.shape(), content));
      ByteBuffer bytes = ByteBuffer.allocate(4 * columns.length).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asFloatBuffer().put(columns);
      tensors.add(
          new NamedTensor(
              t.name() + SCALE,
              ElementType.FLOAT32,
              Shape.of(columns.length),
              Content.of(bytes.array())));
    }
    return tensors;
  }

  private static void write(Model model, Parameter p, float[] scales, WritableByteChannel out)
      throws IOException {
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
    long columns = p.type().extent(-1);
    model.chunks(
        p,
        4 * CHUNK,
        (from, bytes) -> {
          FloatBuffer floats = bytes.asFloatBuffer();
          chunk.clear();
          for (int i = 0; i < floats.limit(); i++) {
            int scale = Quantization.scaleOf(p.path(), columns, from / 4 + i);
            chunk.put(int8(floats.get(i), scales[scale]));
          }
          chunk.flip();
          while (chunk.hasRemaining()) {
            out.write(chunk);
          }
        });
  }

  /** Reads a quantized kernel. */
  static void fill(Model model, Parameter kernel, float[] scales, TensorSource tensors) {
    ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK);
    long columns = kernel.type().extent(-1);
    model.overwrite(
        kernel,
        (from, bytes) -> {
          FloatBuffer floats = bytes.asFloatBuffer();
          for (int at = 0; at < floats.limit(); at += CHUNK) {
            int count = Math.min(CHUNK, floats.limit() - at);
            tensors.read(kernel.path(), from / 4 + at, chunk.clear().limit(count));
            for (int i = 0; i < count; i++) {
              int scale = Quantization.scaleOf(kernel.path(), columns, from / 4 + at + i);
              floats.put(at + i, chunk.get(i) * scales[scale]);
            }
          }
        });
  }

  /** A file's quantization. */
  static Quantization read(JsonNode json, Topology topology, Safetensors tensors, String where) {
    return Quantization.fromJson(json, topology, kernel -> scales(tensors, kernel, where), where);
  }

  private static float[] scales(Safetensors tensors, String kernel, String where) {
    TensorInfo info = tensors.tensor(kernel + SCALE);
    boolean floats = info.isSupported() && info.type() == ElementType.FLOAT32;
    if (!floats || info.shape().rank() != 1 || info.byteSize() > Integer.MAX_VALUE - 8) {
      throw new CremaException(
          where
              + ": tensor '"
              + info.name()
              + "' should be F32 [units] but the file has "
              + info.dtype()
              + " "
              + info.shape());
    }
    ByteBuffer bytes =
        ByteBuffer.allocateDirect((int) info.byteSize()).order(ByteOrder.LITTLE_ENDIAN);
    tensors.read(info.name(), bytes.duplicate());
    float[] scales = new float[bytes.capacity() / 4];
    bytes.asFloatBuffer().get(scales);
    return scales;
  }
}
