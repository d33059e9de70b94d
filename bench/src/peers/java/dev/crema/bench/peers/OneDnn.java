package dev.crema.bench.peers;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_SCALES;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import dev.crema.bench.Data;
import dev.crema.bench.Engine;
import dev.crema.bench.Network;
import dev.crema.bench.Problem;
import dev.crema.bench.QuantizedLayer;
import dev.crema.bench.Task;
import dev.crema.bench.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.softmax_forward;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.BytePointer;

/**
 * oneDNN's primitives: dense networks, products and softmax, weights packed once in the layout that
 * it asks for, bias and ReLU fused. Threads by OMP_NUM_THREADS.
 */
public final class OneDnn implements Engine {
  private static final memory.data_type F32 = memory.data_type.f32;
  private static final memory.data_type BF16 = memory.data_type.bf16;

  @Override
  public String name() {
    return "onednn";
  }

  @Override
  public String version() {
    return "oneDNN 3.11 (packed weights)";
  }

  @Override
  public boolean supports(Problem problem) {
    return problem instanceof Problem.MatMul
        || problem instanceof Problem.Int8Product
        || problem instanceof Problem.Int8 p && p.of().network().widths() != null
        || problem instanceof Problem.Prediction p && isDense(p)
        || problem instanceof Problem.Bfloat16 b
            && b.of() instanceof Problem.Prediction p
            && isDense(p)
        || problem instanceof Problem.Rowwise r && r.function() == Problem.Rowwise.Function.SOFTMAX
        || problem instanceof Problem.Start;
  }

  private static boolean isDense(Problem.Prediction p) {
    return p.network().widths() != null;
  }

  @Override
  public Task prepare(Problem problem, int threads) {
    Primitives steps = new Primitives();
    if (problem instanceof Problem.Int8Product p) {
      return steps.bytes(p);
    }
    if (problem instanceof Problem.Int8 p) {
      return int8(p, steps);
    }
    if (problem instanceof Problem.MatMul p) {
      memory a = steps.floats(Data.uniform(1, p.m() * p.k()), p.m(), p.k());
      float[] b = Data.uniform(2, p.k() * p.n());
      memory c = steps.product(a, b, null, false, F32, p.m(), p.k(), p.n());
      return steps.task(a, null, c, p.m() * p.n());
    }
    if (problem instanceof Problem.Prediction p) {
      return prediction(p, F32, steps);
    }
    if (problem instanceof Problem.Bfloat16 b && b.of() instanceof Problem.Prediction p) {
      return prediction(p, BF16, steps);
    }
    Problem.Rowwise p = (Problem.Rowwise) problem;
    memory x = steps.floats(p.input(), p.rows(), p.columns());
    return steps.task(x, null, steps.softmax(x, p.rows(), p.columns()), p.rows() * p.columns());
  }

  /**
   * @param factors type of the weights and of what products read
   */
  private static Task prediction(Problem.Prediction p, memory.data_type factors, Primitives steps) {
    int[] widths = p.network().widths();
    float[] examples = p.examples();
    memory x = steps.floats(examples, p.batch(), widths[0]);
    memory y = factors == F32 ? x : steps.rounded(x, factors);
    List<Weights> weights = p.weights();
    for (int i = 0; i + 1 < widths.length; i++) {
      float[] kernel = weights.get(2 * i).values();
      float[] bias = weights.get(2 * i + 1).values();
      boolean relu = i + 2 < widths.length;
      memory.data_type type = relu ? factors : F32;
      y = steps.product(y, kernel, bias, relu, type, p.batch(), widths[i], widths[i + 1]);
    }
    y = steps.softmax(y, p.batch(), Network.CLASSES);
    return steps.task(x, examples, y, p.batch() * Network.CLASSES);
  }

  private static Task int8(Problem.Int8 p, Primitives steps) {
    int batch = p.of().batch();
    float[] examples = p.of().examples();
    List<QuantizedLayer> layers = p.layers();
    memory x = steps.floats(examples, batch, p.of().network().inputs());
    memory y = steps.quantize(x, layers.get(0), batch);
    for (int i = 0; i < layers.size(); i++) {
      boolean last = i + 1 == layers.size();
      y = steps.product(y, layers.get(i), batch, last ? 0 : layers.get(i + 1).scale());
    }
    y = steps.softmax(y, batch, Network.CLASSES);
    return steps.task(x, examples, y, batch * Network.CLASSES);
  }

  /** Primitives that run one after the other, with what they read and write. */
  private static final class Primitives {
    private final engine cpu = new engine(engine.kind.cpu, 0);
    private final stream stream = new stream(cpu);
    private final OneDnnInt8 int8 = new OneDnnInt8(cpu, stream);
    private final List<primitive> steps = new ArrayList<>();
    private final List<IntMemoryMap> arguments = new ArrayList<>();

    memory floats(float[] values, long... dims) {
      return OneDnnProduct.floats(cpu, values, dims);
    }

    memory product(
        memory x,
        float[] weights,
        float[] bias,
        boolean relu,
        memory.data_type result,
        long rows,
        long in,
        long units) {
      OneDnnProduct made =
          OneDnnProduct.of(cpu, stream, x, weights, bias, relu, result, rows, in, units);
      steps.add(made.product());
      arguments.add(made.arguments());
      return made.result();
    }

    memory rounded(memory x, memory.data_type type) {
      memory.desc floats = x.get_desc();
      memory y = new memory(new memory.desc(floats.get_dims(), type, memory.format_tag.ab), cpu);
      steps.add(new reorder(x, y));
      arguments.add(new IntMemoryMap().put(DNNL_ARG_SRC, x).put(DNNL_ARG_DST, y));
      return y;
    }

    /** x as the uint8 that a layer reads. */
    memory quantize(memory x, QuantizedLayer layer, int rows) {
      long in = layer.dims()[0];
      memory bytes = int8.bytes(memory.data_type.u8, new byte[(int) (rows * in)], rows, in);
      primitive_attr attributes = new primitive_attr();
      attributes.set_scales_mask(DNNL_ARG_DST, 0);
      steps.add(new reorder(x, bytes, attributes));
      arguments.add(
          new IntMemoryMap()
              .put(DNNL_ARG_SRC, x)
              .put(DNNL_ARG_DST, bytes)
              .put(DNNL_ARG_ATTR_SCALES | DNNL_ARG_DST, int8.scales(layer.scale())));
      return bytes;
    }

    /**
     * @param scale of the result as uint8, after ReLU; 0: float32
     */
    memory product(memory x, QuantizedLayer layer, int rows, float scale) {
      if (layer.zeroPoint() != 0) {
        throw new IllegalStateException("Zero points other than 0 are not handed to oneDNN");
      }
      float[] bias = new float[layer.bias().length];
      for (int j = 0; j < bias.length; j++) {
        bias[j] = layer.bias()[j] * (layer.scale() * layer.scales()[j]);
      }
      var fused = new OneDnnInt8.Epilogue(layer.scale(), layer.scales(), bias, scale != 0, scale);
      return add(int8.product(x, layer.kernel(), fused, rows, layer.dims()[0], layer.dims()[1]));
    }

    private memory add(OneDnnInt8.Product made) {
      steps.add(made.primitive());
      arguments.add(made.arguments());
      return made.result();
    }

    Task bytes(Problem.Int8Product p) {
      memory x = int8.bytes(memory.data_type.u8, p.x(), p.m(), p.k());
      var fused = new OneDnnInt8.Epilogue(Problem.Int8Product.SCALE, null, null, true, 1);
      memory y = add(int8.product(x, p.w(), fused, p.m(), p.k(), p.n()));
      int elements = p.m() * p.n();
      Task floats = task(x, null, y, 0);
      return new Task() {
        @Override
        public float[] check() {
          floats.run();
          BytePointer result = new BytePointer(y.get_data_handle()).capacity(elements);
          float[] values = new float[elements];
          for (int i = 0; i < elements; i++) {
            values[i] = result.get(i) & 255;
          }
          return values;
        }

        @Override
        public void run() {
          floats.run();
        }

        @Override
        public void close() {
          floats.close();
        }
      };
    }

    memory softmax(memory x, long rows, long columns) {
      memory y = floats(new float[(int) (rows * columns)], rows, columns);
      softmax_forward.primitive_desc description =
          new softmax_forward.primitive_desc(
              cpu,
              dnnl.prop_kind.forward_inference,
              dnnl.algorithm.softmax_accurate,
              x.get_desc(),
              y.get_desc(),
              1,
              new primitive_attr(),
              false);
      steps.add(new softmax_forward(description));
      arguments.add(new IntMemoryMap().put(DNNL_ARG_SRC, x).put(DNNL_ARG_DST, y));
      return y;
    }

    /**
     * @param examples copied to x at each run; null if they lie there
     */
    Task task(memory x, float[] examples, memory y, int elements) {
      float[] result = new float[elements];
      return new Task() {
        @Override
        public float[] check() {
          run();
          OneDnnProduct.data(y, elements).get(result);
          return result.clone();
        }

        @Override
        public void run() {
          if (examples != null) {
            OneDnnProduct.data(x, examples.length).put(examples);
          }
          for (int i = 0; i < steps.size(); i++) {
            steps.get(i).execute(stream, arguments.get(i));
          }
          stream._wait();
          if (examples != null) {
            OneDnnProduct.data(y, elements).get(result);
          }
        }

        @Override
        public void close() {
          steps.forEach(primitive::close);
          stream.close();
          cpu.close();
        }
      };
    }
  }
}
