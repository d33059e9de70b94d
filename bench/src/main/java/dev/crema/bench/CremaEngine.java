package dev.crema.bench;

import dev.crema.device.Device;
import dev.crema.graph.Precision;
import dev.crema.nn.Model;
import dev.crema.nn.Parameter;
import dev.crema.nn.Predictor;
import dev.crema.train.BatchTrainer;
import dev.crema.train.Losses;
import dev.crema.train.Optimizer;
import dev.crema.train.Trainer;
import java.util.Iterator;
import java.util.Map;

/**
 * Crema through its Java API.
 *
 * @param openblas whether OpenBLAS computes the matrix products, instead of Crema's kernels
 */
record CremaEngine(boolean openblas) implements Engine {
  @Override
  public String name() {
    return openblas ? Engines.CREMA_OPENBLAS : Engines.CREMA;
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
      return new Prediction(p.of(), QuantizedNetwork.model(p.of()), threads, precision);
    }
    if (problem instanceof Problem.QuantizedWeights p) {
      return new Prediction(p.of(), p.model(), threads, precision);
    }
    if (problem instanceof Problem.Int8Product p) {
      return new Int8ProductTask(p, threads);
    }
    if (problem instanceof Problem.SparseMatMul p) {
      return new StoredProduct(p.of(), p.weights(), threads);
    }
    if (inner instanceof Problem.MatMul p && p.isLayer()) {
      return new StoredProduct(p, threads);
    }
    return new GraphTask(in -> CremaOperations.build(problem, in), threads);
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
      this(problem, float32(problem), threads, precision);
    }

    /** By a model that is closed with it. */
    Prediction(Problem.Prediction problem, Model model, int threads, Precision precision) {
      this.batch = problem.batch();
      this.model = model;
      this.predictor = model.predictor(batch, threads, Device.best(), precision);
      this.x = problem.examples();
      this.y = new float[batch * Network.CLASSES];
    }

    private static Model float32(Problem.Prediction problem) {
      Model model = problem.network().model();
      if (problem.given() != null) {
        Iterator<Parameter> parameters = model.table().all().iterator();
        problem.weights().forEach(w -> model.set(parameters.next().path(), w.values()));
      }
      return model;
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
