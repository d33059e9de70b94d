package dev.crema.bench;

import dev.crema.compress.Quantizer;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.device.Device;
import dev.crema.graph.Node;
import dev.crema.graph.Precision;
import dev.crema.graph.Storage;
import dev.crema.nn.Model;
import dev.crema.nn.Predictor;
import dev.crema.op.Adam;
import dev.crema.op.Add;
import dev.crema.op.Conv2d;
import dev.crema.op.Gelu;
import dev.crema.op.LayerNorm;
import dev.crema.op.Lstm;
import dev.crema.op.MatMul;
import dev.crema.op.MaxPool2d;
import dev.crema.op.Relu;
import dev.crema.op.Softmax;
import dev.crema.op.Window2d;
import dev.crema.pass.Autodiff;
import dev.crema.train.BatchTrainer;
import dev.crema.train.Losses;
import dev.crema.train.Optimizer;
import dev.crema.train.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Crema through its Java API.
 *
 * @param openblas whether OpenBLAS computes the matrix products, instead of Crema's kernels
 */
record CremaEngine(boolean openblas) implements Engine {
  @Override
  public String name() {
    return openblas ? "crema-openblas" : Engines.CREMA;
  }

  @Override
  public String version() {
    String products = openblas ? ", products by OpenBLAS 0.3.31" : "";
    return "Crema " + Model.VERSION + ", " + Device.best().description() + products;
  }

  @Override
  public Map<String, String> environment() {
    return Map.of("CREMA_GEMM", openblas ? "openblas" : "own");
  }

  @Override
  public boolean supports(Problem problem) {
    return !openblas || problem instanceof Problem.MatMul || isDense(problem);
  }

  private static boolean isDense(Problem problem) {
    return problem instanceof Problem.Training t && t.network().widths() != null
        || problem instanceof Problem.Prediction p && p.network().widths() != null;
  }

  @Override
  public Task prepare(Problem problem, int threads) {
    boolean reduced = problem instanceof Problem.Bfloat16;
    Precision precision = reduced ? Precision.BFLOAT16 : Precision.FLOAT32;
    Problem inner = problem instanceof Problem.Bfloat16 p ? p.of() : problem;
    if (inner instanceof Problem.Training p) {
      return new Training(p, threads, precision);
    }
    if (inner instanceof Problem.Prediction p) {
      return new Prediction(p, threads, precision);
    }
    if (problem instanceof Problem.Int8 p) {
      return new Prediction(p.of(), threads);
    }
    if (problem instanceof Problem.Int8Product p) {
      return new Int8ProductTask(p, threads);
    }
    return new GraphTask(in -> build(problem, in), threads);
  }

  private static List<Node> build(Problem problem, GraphTask.Inputs in) {
    if (problem instanceof Problem.ResidualBlock p) {
      return residual(p, in);
    }
    if (problem instanceof Problem.MatMul p) {
      Node a = in.uniform(1, p.m(), p.k());
      return List.of(a.then(new MatMul(false, false), in.uniform(2, p.k(), p.n())));
    }
    if (problem instanceof Problem.AdamUpdate p) {
      return adam(p.parameters(), in);
    }
    if (problem instanceof Problem.Rowwise p) {
      return List.of(rowwise(p, in));
    }
    if (problem instanceof Problem.MaxPool p) {
      Node x = in.uniform(1, p.batch(), p.side(), p.side(), p.channels());
      return List.of(x.then(new MaxPool2d(2, 2, Window2d.valid(2, 2))));
    }
    if (problem instanceof Problem.LstmLayer p) {
      return lstm(p, in);
    }
    return Kernels.all().get(((Problem.Kernel) problem).name()).builder().build(in);
  }

  private static List<Node> residual(Problem.ResidualBlock p, GraphTask.Inputs in) {
    int c = p.channels();
    Node x = in.uniform(1, p.batch(), p.side(), p.side(), c);
    Node k1 = in.weights(2, 9 * c, 3, 3, c, c);
    Node k2 = in.weights(3, 9 * c, 3, 3, c, c);
    Node b1 = in.uniform(4, c);
    Node b2 = in.uniform(5, c);
    Conv2d conv = new Conv2d(Window2d.valid(1, 1).padded(1, 1, 1, 1));
    Node inner = x.then(conv, k1, b1).then(new Relu()).then(conv, k2, b2);
    Node y = inner.then(new Add(), x).then(new Relu());
    if (!p.backward()) {
      return List.of(y);
    }
    Node dy = in.uniform(6, p.batch(), p.side(), p.side(), c);
    return gradients(y, dy, List.of(x, k1, k2, b1, b2));
  }

  private static List<Node> gradients(Node y, Node dy, List<Node> wrt) {
    Map<Node, Node> flows = Autodiff.gradients(y, dy, wrt);
    List<Node> outputs = new ArrayList<>();
    wrt.forEach(x -> outputs.add(flows.get(x)));
    outputs.add(y);
    return outputs;
  }

  static List<Node> adam(int parameters, GraphTask.Inputs in) {
    Node w = in.stored(Storage.PARAMETERS, Data.uniform(1, parameters));
    Node g = in.stored(Storage.GRADIENTS, Data.uniform(2, parameters));
    Node m = in.stored(Storage.moment(0), new float[parameters]);
    Node v = in.stored(Storage.moment(1), new float[parameters]);
    Node hyper = in.stored(Storage.HYPER, new float[] {0.001f, 1, 0.1f, 0.001f});
    in.graph().apply(new Adam(0, 0.9, 0.999, 1e-8, false), w, g, m, v, hyper, null);
    return List.of(w);
  }

  private static Node rowwise(Problem.Rowwise p, GraphTask.Inputs in) {
    Node x = in.floats(p.input(), p.rows(), p.columns());
    return switch (p.function()) {
      case SOFTMAX -> x.then(new Softmax());
      case GELU -> x.then(new Gelu());
      case LAYER_NORM ->
          x.then(new LayerNorm(1e-5), in.uniform(2, p.columns()), in.uniform(3, p.columns()));
    };
  }

  private static List<Node> lstm(Problem.LstmLayer p, GraphTask.Inputs in) {
    int u = p.units();
    Node x = in.uniform(1, p.batch(), p.steps(), u);
    Node kernel = in.weights(2, u, u, 4L * u);
    Node recurrent = in.weights(3, u, u, 4L * u);
    Node bias = in.uniform(4, 4L * u);
    Node y = x.then(new Lstm(), kernel, recurrent, bias, null, null);
    return gradients(
        y, in.uniform(5, p.batch(), p.steps(), u), List.of(x, kernel, recurrent, bias));
  }

  private static final class Training implements Task {
    private final Problem.Training problem;
    private final Model model;
    private final BatchTrainer trainer;

    Training(Problem.Training problem, int threads, Precision precision) {
      this.problem = problem;
      this.model = problem.network().model();
      this.trainer =
          Trainer.of(model)
              .loss(Losses.sparseCategoricalCrossentropy())
              .optimizer(Optimizer.adam(0.001))
              .threads(threads)
              .precision(precision)
              .batches(problem.batch());
      trainer.input(0).asFloatBuffer().put(problem.network().examples(problem.batch()));
      trainer.target().asIntBuffer().put(problem.network().classes(problem.batch()));
    }

    @Override
    public float[] check() {
      float[] losses = new float[Problem.Training.STEPS];
      for (int i = 0; i < losses.length; i++) {
        losses[i] = trainer.run(problem.batch());
      }
      return losses;
    }

    @Override
    public void run() {
      trainer.run(problem.batch());
    }

    @Override
    public void close() {
      trainer.close();
      model.close();
    }
  }

  /** As an application does it: arrays in, arrays out. */
  private static final class Prediction implements Task {
    private final Model model;
    private final Predictor predictor;
    private final int batch;
    private final float[] x;
    private final float[] y;

    Prediction(Problem.Prediction problem, int threads, Precision precision) {
      this(problem, problem.network().model(), threads, precision);
    }

    /** In int8. */
    Prediction(Problem.Prediction problem, int threads) {
      this(problem, int8(problem), threads, Precision.FLOAT32);
    }

    private Prediction(Problem.Prediction problem, Model model, int threads, Precision precision) {
      this.batch = problem.batch();
      this.model = model;
      this.predictor = model.predictor(batch, threads, Device.best(), precision);
      this.x = problem.network().examples(batch);
      this.y = new float[batch * Network.CLASSES];
    }

    private static Model int8(Problem.Prediction problem) {
      int rows = problem.batch();
      float[] examples = problem.network().examples(rows);
      float[][] x = new float[rows][];
      for (int i = 0; i < rows; i++) {
        int width = examples.length / rows;
        x[i] = Arrays.copyOfRange(examples, i * width, (i + 1) * width);
      }
      try (Model model = problem.network().model()) {
        Dataset data = Datasets.of(x, problem.network().classes(rows));
        return Quantizer.standard().quantize(model, data);
      }
    }

    @Override
    public float[] check() {
      run();
      return y.clone();
    }

    @Override
    public void run() {
      predictor.predict(x, y, batch);
    }

    @Override
    public void close() {
      predictor.close();
      model.close();
    }
  }
}
