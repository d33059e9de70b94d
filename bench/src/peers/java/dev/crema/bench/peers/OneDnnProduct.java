package dev.crema.bench.peers;

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
import org.bytedeco.javacpp.FloatPointer;

/**
 * relu(x · weights + bias) by oneDNN; the weights have x's type, and are in oneDNN's own layout.
 */
record OneDnnProduct(matmul product, IntMemoryMap arguments, memory result) {
  static OneDnnProduct of(
      engine cpu,
      stream stream,
      memory x,
      float[] weights,
      float[] bias,
      boolean relu,
      memory.data_type result,
      long rows,
      long in,
      long units) {
    memory plain = floats(cpu, weights, in, units);
    memory y = new memory(description(result, memory.format_tag.ab, rows, units), cpu);
    memory.data_type factors = x.get_desc().get_data_type();
    memory.desc any = description(factors, memory.format_tag.any, in, units);
    primitive_attr attributes = new primitive_attr();
    if (relu) {
      post_ops operations = new post_ops();
      operations.append_eltwise(dnnl.algorithm.eltwise_relu, 0, 0);
      attributes.set_post_ops(operations);
    }
    memory b = bias == null ? null : floats(cpu, bias, 1, units);
    matmul.primitive_desc chosen =
        b == null
            ? new matmul.primitive_desc(cpu, x.get_desc(), any, y.get_desc(), attributes, false)
            : new matmul.primitive_desc(
                cpu, x.get_desc(), any, b.get_desc(), y.get_desc(), attributes, false);
    memory packed = new memory(chosen.weights_desc(), cpu);
    new reorder(plain, packed).execute(stream, plain, packed);
    stream._wait();
    IntMemoryMap arguments =
        new IntMemoryMap().put(DNNL_ARG_SRC, x).put(DNNL_ARG_WEIGHTS, packed).put(DNNL_ARG_DST, y);
    if (b != null) {
      arguments.put(DNNL_ARG_BIAS, b);
    }
    return new OneDnnProduct(new matmul(chosen), arguments, y);
  }

  private static memory.desc description(
      memory.data_type type, memory.format_tag layout, long... dims) {
    return new memory.desc(dims, type, layout);
  }

  static memory floats(engine cpu, float[] values, long... dims) {
    memory made = new memory(description(memory.data_type.f32, memory.format_tag.ab, dims), cpu);
    data(made, values.length).put(values);
    return made;
  }

  static FloatPointer data(memory of, int elements) {
    return new FloatPointer(of.get_data_handle()).capacity(elements);
  }
}
