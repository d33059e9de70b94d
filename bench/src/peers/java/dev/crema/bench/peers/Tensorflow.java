package dev.crema.bench.peers;

import dev.crema.bench.Data;
import dev.crema.bench.Engine;
import dev.crema.bench.Problem;
import dev.crema.bench.Task;
import java.util.List;
import java.util.Map;
import org.tensorflow.Operand;
import org.tensorflow.TensorFlow;
import org.tensorflow.types.TFloat32;

/**
 * TensorFlow through its Java API, set up as an expert would: a run is one call of the session of
 * one graph, what is fed lies in tensors made once, weights of predictions are constants so that
 * its optimiser folds and fuses them, glibc is told to keep its pages.
 */
public final class Tensorflow implements Engine {
  @Override
  public String name() {
    return "tensorflow";
  }

  @Override
  public String version() {
    return "TensorFlow " + TensorFlow.version() + " (graph, one session call a run, malloc tuned)";
  }

  @Override
  public Map<String, String> environment() {
    return Malloc.KEEP_PAGES;
  }

  @Override
  public boolean supports(Problem problem) {
    return problem instanceof Problem.Training
        || problem instanceof Problem.Prediction p && p.network().isSequence()
        || problem instanceof Problem.MatMul
        || problem instanceof Problem.AdamUpdate
        || problem instanceof Problem.Start;
  }

  @Override
  public Task prepare(Problem problem, int threads) {
    if (problem instanceof Problem.Training p) {
      return new TensorflowTraining(p, threads);
    }
    if (problem instanceof Problem.Prediction p) {
      return new TensorflowPrediction(p, threads);
    }
    TensorflowGraph graph = new TensorflowGraph();
    return new TensorflowTask(graph, result(problem, graph), threads);
  }

  private static Operand<TFloat32> result(Problem problem, TensorflowGraph graph) {
    if (problem instanceof Problem.AdamUpdate p) {
      Operand<TFloat32> w = graph.variable(Data.uniform(1, p.parameters()), p.parameters());
      Operand<TFloat32> g = graph.input(Data.uniform(2, p.parameters()), p.parameters());
      return TensorflowAdam.update(graph, List.of(w), List.of(g.asOutput())).get(0);
    }
    Problem.MatMul p = (Problem.MatMul) problem;
    Operand<TFloat32> a = graph.input(Data.uniform(1, p.m() * p.k()), p.m(), p.k());
    float[] second = Data.uniform(2, p.k() * p.n());
    Operand<TFloat32> b =
        p.isLayer() ? graph.constant(second, p.k(), p.n()) : graph.input(second, p.k(), p.n());
    return graph.ops().linalg.matMul(a, b);
  }
}
