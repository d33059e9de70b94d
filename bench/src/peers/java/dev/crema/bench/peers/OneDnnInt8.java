package dev.crema.bench.peers;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_SCALES;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.BytePointer;

/** Products of bytes by oneDNN: scales, bias, ReLU and the rounding to uint8 fused. */
final class OneDnnInt8 {
  private static final int COLUMNS = 2; // the mask of a scale for each column

  private final engine cpu;
  private final stream stream;

  OneDnnInt8(engine cpu, stream stream) {
    this.cpu = cpu;
    this.stream = stream;
  }

  /** A product with the arguments that it is run with. */
  record Product(matmul primitive, IntMemoryMap arguments, memory result) {}

  /**
   * What is fused.
   *
   * @param x scale of x
   * @param columns scales of the weights' columns; null: 1
   * @param bias in the result's unit; null: none
   * @param relu whether negative results become 0
   * @param y scale of the result, uint8; 0: float32
   */
  record Epilogue(float x, float[] columns, float[] bias, boolean relu, float y) {}

  memory bytes(memory.data_type type, byte[] values, long... dims) {
    memory made = new memory(new memory.desc(dims, type, memory.format_tag.ab), cpu);
    new BytePointer(made.get_data_handle()).capacity(values.length).put(values);
    return made;
  }

  memory scales(float... values) {
    memory.desc line =
        new memory.desc(new long[] {values.length}, memory.data_type.f32, memory.format_tag.a);
    memory made = new memory(line, cpu);
    OneDnnProduct.data(made, values.length).put(values);
    return made;
  }

  /** x [rows, in] uint8 times weights [in, units] int8, which are packed here. */
  Product product(memory x, byte[] weights, Epilogue e, int rows, long in, long units) {
    int elements = (int) (rows * units);
    memory y =
        e.y() == 0
            ? OneDnnProduct.floats(cpu, new float[elements], rows, units)
            : bytes(memory.data_type.u8, new byte[elements], rows, units);
    primitive_attr attributes = new primitive_attr();
    IntMemoryMap arguments = new IntMemoryMap().put(DNNL_ARG_SRC, x).put(DNNL_ARG_DST, y);
    scale(attributes, arguments, DNNL_ARG_SRC, 0, e.x());
    if (e.columns() != null) {
      scale(attributes, arguments, DNNL_ARG_WEIGHTS, COLUMNS, e.columns());
    }
    if (e.y() != 0 && e.y() != 1) {
      scale(attributes, arguments, DNNL_ARG_DST, 0, e.y());
    }
    if (e.relu()) {
      post_ops relu = new post_ops();
      relu.append_eltwise(dnnl.algorithm.eltwise_relu, 0, 0);
      attributes.set_post_ops(relu);
    }
    memory.desc any =
        new memory.desc(new long[] {in, units}, memory.data_type.s8, memory.format_tag.any);
    memory bias = e.bias() == null ? null : OneDnnProduct.floats(cpu, e.bias(), 1, units);
    matmul.primitive_desc chosen =
        bias == null
            ? new matmul.primitive_desc(cpu, x.get_desc(), any, y.get_desc(), attributes, false)
            : new matmul.primitive_desc(
                cpu, x.get_desc(), any, bias.get_desc(), y.get_desc(), attributes, false);
    memory plain = bytes(memory.data_type.s8, weights, in, units);
    memory packed = new memory(chosen.weights_desc(), cpu);
    new reorder(plain, packed).execute(stream, plain, packed);
    stream._wait();
    arguments.put(DNNL_ARG_WEIGHTS, packed);
    if (bias != null) {
      arguments.put(DNNL_ARG_BIAS, bias);
    }
    return new Product(new matmul(chosen), arguments, y);
  }

  private void scale(
      primitive_attr attributes, IntMemoryMap arguments, int of, int mask, float... values) {
    attributes.set_scales_mask(of, mask);
    arguments.put(DNNL_ARG_ATTR_SCALES | of, scales(values));
  }
}
