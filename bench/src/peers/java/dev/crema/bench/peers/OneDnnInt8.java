package dev.crema.bench.peers;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_SCALES;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import dev.crema.bench.Problem;
import dev.crema.bench.Task;
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

/** A product of bytes by oneDNN: scale, ReLU and the rounding to uint8 fused, weights packed. */
final class OneDnnInt8 implements Task {
  private final engine cpu = new engine(engine.kind.cpu, 0);
  private final stream stream = new stream(cpu);
  private final matmul product;
  private final IntMemoryMap arguments;
  private final BytePointer result;
  private final int elements;

  OneDnnInt8(Problem.Int8Product p) {
    this.elements = p.m() * p.n();
    memory x = bytes(memory.data_type.u8, p.x(), p.m(), p.k());
    memory plain = bytes(memory.data_type.s8, p.w(), p.k(), p.n());
    memory y = bytes(memory.data_type.u8, new byte[elements], p.m(), p.n());
    memory scale =
        new memory(new memory.desc(new long[] {1}, memory.data_type.f32, memory.format_tag.a), cpu);
    OneDnnProduct.data(scale, 1).put(Problem.Int8Product.SCALE);
    post_ops relu = new post_ops();
    relu.append_eltwise(dnnl.algorithm.eltwise_relu, 0, 0);
    primitive_attr attributes = new primitive_attr();
    attributes.set_post_ops(relu);
    attributes.set_scales_mask(DNNL_ARG_SRC, 0);
    memory.desc any =
        new memory.desc(new long[] {p.k(), p.n()}, memory.data_type.s8, memory.format_tag.any);
    matmul.primitive_desc chosen =
        new matmul.primitive_desc(cpu, x.get_desc(), any, y.get_desc(), attributes, false);
    memory packed = new memory(chosen.weights_desc(), cpu);
    new reorder(plain, packed).execute(stream, plain, packed);
    stream._wait();
    this.product = new matmul(chosen);
    this.arguments =
        new IntMemoryMap()
            .put(DNNL_ARG_SRC, x)
            .put(DNNL_ARG_WEIGHTS, packed)
            .put(DNNL_ARG_DST, y)
            .put(DNNL_ARG_ATTR_SCALES | DNNL_ARG_SRC, scale);
    this.result = new BytePointer(y.get_data_handle()).capacity(elements);
  }

  private memory bytes(memory.data_type type, byte[] values, long... dims) {
    memory made = new memory(new memory.desc(dims, type, memory.format_tag.ab), cpu);
    new BytePointer(made.get_data_handle()).capacity(values.length).put(values);
    return made;
  }

  @Override
  public float[] check() {
    run();
    float[] values = new float[elements];
    for (int i = 0; i < elements; i++) {
      values[i] = result.get(i) & 255;
    }
    return values;
  }

  @Override
  public void run() {
    product.execute(stream, arguments);
    stream._wait();
  }

  @Override
  public void close() {
    product.close();
    stream.close();
    cpu.close();
  }
}
