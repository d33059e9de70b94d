package dev.crema.bench;

import dev.crema.device.Device;
import dev.crema.nn.Dense;
import dev.crema.nn.Model;
import dev.crema.nn.Predictor;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * A product by a weight that stays, as an application has it: a dense layer without bias, asked
 * through its predictor, which packs the weight where that pays. The rows lie where the predictor
 * reads them, and the result stays where it writes it.
 */
final class StoredProduct implements Task {
  private final int rows;
  private final Model model;
  private final Predictor predictor;
  private final FloatBuffer result;

  StoredProduct(Problem.MatMul problem, int threads) {
    this(problem, Data.uniform(2, problem.k() * problem.n()), threads);
  }

  StoredProduct(Problem.MatMul problem, float[] weights, int threads) {
    this.rows = problem.m();
    this.model = Model.sequential(problem.k()).add(Dense.of(problem.n()).withoutBias()).build(1);
    String kernel = model.table().all().iterator().next().path();
    model.set(kernel, weights);
    this.predictor = model.predictor(rows, threads, Device.best());
    String input = model.topology().inputs().get(0).name();
    predictor
        .inputMemory(input)
        .order(ByteOrder.nativeOrder())
        .asFloatBuffer()
        .put(Data.uniform(1, rows * problem.k()));
    this.result = predictor.outputMemory(0).order(ByteOrder.nativeOrder()).asFloatBuffer();
  }

  @Override
  public float[] check() {
    run();
    float[] values = new float[result.capacity()];
    result.get(0, values);
    return values;
  }

  @Override
  public void run() {
    predictor.run(rows);
  }

  @Override
  public void close() {
    predictor.close();
    model.close();
  }
}
