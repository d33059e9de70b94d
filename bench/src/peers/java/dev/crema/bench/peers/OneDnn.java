package dev.crema.bench.peers;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import dev.crema.bench.Data;
import dev.crema.bench.Engine;
import dev.crema.bench.Network;
import dev.crema.bench.Problem;
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
import org.bytedeco.dnnl.softmax_forward;
import org.bytedeco.dnnl.stream;

/**
 * oneDNN's primitives: dense networks, products and softmax, weights packed once in the layout that
 * it asks for, bias and ReLU fused. Threads by OMP_NUM_THREADS.
 */
public final class OneDnn implements Engine {
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
        || problem instanceof Problem.Prediction p && p.network().widths() != null
        || problem instanceof Problem.Rowwise r && r.function() == Problem.Rowwise.Function.SOFTMAX
        || problem instanceof Problem.Start;
  }

  @Override
  public Task prepare(Problem problem, int threads) {
    if (problem instanceof Problem.Int8Product p) {
      return new OneDnnInt8(p);
    }
    Primitives steps = new Primitives();
    if (problem instanceof Problem.MatMul p) {
      memory a = steps.floats(Data.uniform(1, p.m() * p.k()), p.m(), p.k());
      memory c = steps.product(a, Data.uniform(2, p.k() * p.n()), null, false, p.m(), p.k(), p.n());
      return steps.task(a, null, c, p.m() * p.n());
    }
    if (problem instanceof Problem.Prediction p) {
      return prediction(p, steps);
    }
    Problem.Rowwise p = (Problem.Rowwise) problem;
    memory x = steps.floats(p.input(), p.rows(), p.columns());
    return steps.task(x, null, steps.softmax(x, p.rows(), p.columns()), p.rows() * p.columns());
  }

  private static Task prediction(Problem.Prediction p, Primitives steps) {
    int[] widths = p.network().widths();
    float[] examples = p.examples();
    memory x = steps.floats(examples, p.batch(), widths[0]);
    memory y = x;
    List<Weights> weights = p.weights();
    for (int i = 0; i + 1 < widths.length; i++) {
      float[] kernel = weights.get(2 * i).values();
      float[] bias = weights.get(2 * i + 1).values();
      boolean relu = i + 2 < widths.length;
      y = steps.product(y, kernel, bias, relu, p.batch(), widths[i], widths[i + 1]);
    }
    y = steps.softmax(y, p.batch(), Network.CLASSES);
    return steps.task(x, examples, y, p.batch() * Network.CLASSES);
  }

  /** Primitives that run one after the other, with what they read and write. */
  private static final class Primitives {
    private final engine cpu = new engine(engine.kind.cpu, 0);
    private final stream stream = new stream(cpu);
    private final List<primitive> steps = new ArrayList<>();
    private final List<IntMemoryMap> arguments = new ArrayList<>();

    memory floats(float[] values, long... dims) {
      return OneDnnProduct.floats(cpu, values, dims);
    }

    memory product(
        memory x, float[] weights, float[] bias, boolean relu, long rows, long in, long units) {
      OneDnnProduct made = OneDnnProduct.of(cpu, stream, x, weights, bias, relu, rows, in, units);
      steps.add(made.product());
      arguments.add(made.arguments());
      return made.result();
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
