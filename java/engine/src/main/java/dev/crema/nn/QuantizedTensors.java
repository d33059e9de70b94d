package dev.crema.nn;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.CremaException;
import dev.crema.io.Content;
import dev.crema.io.NamedTensor;
import dev.crema.io.Safetensors;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import dev.crema.pass.QuantizationScheme;
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
 * float32, [units], a scale for each output (its last axis), or [groups, units] where groups of
 * inputs have scales of their own; of an embedding's table, [rows], a scale for each row. A kernel
 * of int4 is {@code dense_1/kernel.int4}, U8 [⌈elements / 2⌉]: two numbers a byte, row-major, the
 * first in the lower half, in two's complement. One of fp8 is {@code dense_1/kernel.fp8}, U8 of the
 * kernel's shape: the bits of {@link dev.crema.op.Fp8 E4M3}, for which safetensors' readers do not
 * agree on a type. In memory a kernel is float32: the numbers that its file's stand for.
 */
final class QuantizedTensors {
  static final String FIELD = "quantization";

  private static final String SCALE = ".scale";
  private static final int CHUNK = 1 << 20; // elements, an even number

  private QuantizedTensors() {}

  /** Whether a tensor of a file is a part of a quantized kernel that is no parameter itself. */
  static boolean isPart(String name, Map<String, QuantizedKernel> kernels) {
    int dot = name.lastIndexOf('.');
    QuantizedKernel kernel = dot < 0 ? null : kernels.get(name.substring(0, dot));
    return kernel != null && (name.endsWith(SCALE) || name.substring(dot).equals(kernel.suffix()));
  }

  /** Replaces each weight by what its whole number stands for. */
  static void round(Model model, Parameter p, QuantizedKernel kernel) {
    model.overwrite(
        p,
        (from, bytes) -> {
          FloatBuffer floats = bytes.asFloatBuffer();
          for (int i = 0; i < floats.limit(); i++) {
            long at = from / 4 + i;
            floats.put(i, kernel.weight(kernel.number(floats.get(i), at), at));
          }
        });
  }

  /** The tensors of a model's file: quantized kernels as whole numbers, and their scales. */
  static List<NamedTensor> of(Model model, List<NamedTensor> floats) {
    if (model.quantization() == null) {
      return floats;
    }
    Map<String, QuantizedKernel> kernels =
        model.quantization().kernels(model.topology(), model.table());
    List<NamedTensor> tensors = new ArrayList<>();
    for (NamedTensor t : floats) {
      QuantizedKernel kernel = kernels.get(t.name());
      if (kernel == null) {
        tensors.add(t);
        continue;
      }
      Parameter p = model.table().get(t.name());
      Content content = out -> write(model, p, kernel, out);
      tensors.add(
          new NamedTensor(t.name() + kernel.suffix(), type(kernel), shape(kernel, p), content));
      float[] scales = kernel.scales();
      ByteBuffer bytes = ByteBuffer.allocate(4 * scales.length).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asFloatBuffer().put(scales);
      tensors.add(
          new NamedTensor(
              t.name() + SCALE,
              ElementType.FLOAT32,
              scaleShape(kernel.scheme(), p),
              Content.of(bytes.array())));
    }
    return tensors;
  }

  private static ElementType type(QuantizedKernel kernel) {
    return kernel.suffix().isEmpty() ? ElementType.INT8 : ElementType.UINT8;
  }

  private static Shape shape(QuantizedKernel kernel, Parameter p) {
    return kernel.isInt4() ? Shape.of((p.elements() + 1) / 2) : p.type().at(1);
  }

  private static Shape scaleShape(QuantizationScheme scheme, Parameter p) {
    if (Quantization.hasScaledRows(p.path())) {
      return Shape.of(p.type().extent(0));
    }
    long units = p.type().extent(-1);
    return scheme.groupSize() == 0
        ? Shape.of(units)
        : Shape.of(scheme.groups(p.type().extent(0)), units);
  }

  private static void write(
      Model model, Parameter p, QuantizedKernel kernel, WritableByteChannel out)
      throws IOException {
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
    model.chunks(
        p,
        4 * CHUNK,
        (from, bytes) -> {
          FloatBuffer floats = bytes.asFloatBuffer();
          chunk.clear();
          for (int i = 0; i < floats.limit(); i++) {
            int number = kernel.number(floats.get(i), from / 4 + i);
            if (!kernel.isInt4()) {
              chunk.put((byte) number);
            } else if (i % 2 == 0) {
              chunk.put((byte) (number & 15));
            } else {
              int last = chunk.position() - 1;
              chunk.put(last, (byte) (chunk.get(last) | number << 4));
            }
          }
          chunk.flip();
          while (chunk.hasRemaining()) {
            out.write(chunk);
          }
        });
  }

  /** Checks that a file has a kernel's whole numbers. */
  static void require(
      Parameter p, QuantizedKernel kernel, StoredTensors stored, Safetensors file, String where) {
    if (kernel.suffix().isEmpty()) {
      stored.require(p, ElementType.INT8);
    } else {
      String name = p.path() + kernel.suffix();
      StoredTensors.requireFits(file, name, type(kernel), shape(kernel, p), where);
    }
  }

  /** Reads a quantized kernel. */
  static void fill(
      Model model, Parameter p, QuantizedKernel kernel, TensorSource tensors, String where) {
    boolean int4 = kernel.isInt4();
    String name = p.path() + kernel.suffix();
    ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK);
    model.overwrite(
        p,
        (from, bytes) -> {
          FloatBuffer floats = bytes.asFloatBuffer();
          for (int at = 0; at < floats.limit(); at += CHUNK) {
            int count = Math.min(CHUNK, floats.limit() - at);
            long first = from / 4 + at;
            if (int4) {
              tensors.read(name, first / 2, chunk.clear().limit((count + 1) / 2));
            } else {
              tensors.read(name, first, chunk.clear().limit(count));
            }
            for (int i = 0; i < count; i++) {
              int number = int4 ? chunk.get(i / 2) << 28 - i % 2 * 4 >> 28 : chunk.get(i);
              if (!kernel.isNumber(number)) {
                throw new CremaException(
                    where
                        + ": '"
                        + p.path()
                        + "' holds "
                        + number
                        + kernel.numbers()
                        + ". The file is damaged.");
              }
              floats.put(at + i, kernel.weight(number, first + i));
            }
          }
        });
  }

  /** A file's quantization. */
  static Quantization read(
      JsonNode json, Topology topology, ParameterTable table, Safetensors tensors, String where) {
    return Quantization.fromJson(
        json,
        topology,
        (kernel, scheme) -> scales(tensors, table.get(kernel), scheme, where),
        where);
  }

  private static float[] scales(
      Safetensors tensors, Parameter kernel, QuantizationScheme scheme, String where) {
    String name = kernel.path() + SCALE;
    Shape shape = scaleShape(scheme, kernel);
    StoredTensors.requireFits(tensors, name, ElementType.FLOAT32, shape, where);
    long size = 4 * shape.elements();
    if (size > Integer.MAX_VALUE - 8) {
      throw new CremaException(where + ": '" + name + "' of " + shape + " is too big");
    }
    ByteBuffer bytes = ByteBuffer.allocateDirect((int) size).order(ByteOrder.LITTLE_ENDIAN);
    tensors.read(name, bytes.duplicate());
    float[] scales = new float[bytes.capacity() / 4];
    bytes.asFloatBuffer().get(scales);
    return scales;
  }
}
