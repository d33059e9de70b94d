package dev.crema.bench.peers;

import dev.crema.bench.Engine;
import dev.crema.bench.Problem;
import dev.crema.bench.Task;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Deeplearning4j: its MultiLayerNetwork, trained and asked. */
public final class Dl4j implements Engine {
  @Override
  public String name() {
    return "dl4j";
  }

  @Override
  public String version() {
    return "Deeplearning4j 1.0.0-M2.1 (nd4j-native)";
  }

  @Override
  public boolean supports(Problem problem) {
    return problem instanceof Problem.Training
        || problem instanceof Problem.Prediction p && p.network().isSequence()
        || problem instanceof Problem.Start;
  }

  @Override
  public Task prepare(Problem problem, int threads) {
    Nd4j.getEnvironment().setMaxThreads(threads);
    Nd4j.getEnvironment().setMaxMasterThreads(threads);
    if (problem instanceof Problem.Training p) {
      return new Training(p);
    }
    return new Prediction((Problem.Prediction) problem);
  }

  private static final class Training implements Task {
    private final MultiLayerNetwork network;
    private final INDArray x;
    private final INDArray target;

    Training(Problem.Training p) {
      this.network = Dl4jNetwork.of(p.network(), p.network().weights());
      this.x = Dl4jNetwork.input(p.network(), p.batch());
      this.target = Dl4jNetwork.oneHot(p.network().classes(p.batch()));
    }

    @Override
    public float[] check() {
      float[] losses = new float[Problem.Training.STEPS];
      for (int i = 0; i < losses.length; i++) {
        run();
        losses[i] = (float) network.score();
      }
      return losses;
    }

    @Override
    public void run() {
      network.fit(x, target);
    }

    @Override
    public void close() {
      network.close();
    }
  }

  private static final class Prediction implements Task {
    private final MultiLayerNetwork network;
    private final Problem.Prediction problem;
    private final float[] examples;
    private float[] result;

    Prediction(Problem.Prediction problem) {
      this.problem = problem;
      this.network = Dl4jNetwork.of(problem.network(), problem.weights());
      this.examples = problem.examples();
    }

    @Override
    public float[] check() {
      run();
      return result;
    }

    @Override
    public void run() {
      INDArray x = Dl4jNetwork.shaped(problem.network(), examples, problem.batch());
      result = network.output(x).data().asFloat();
    }

    @Override
    public void close() {
      network.close();
    }
  }
}
