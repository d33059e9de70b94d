package dev.crema.bench.peers;

import dev.crema.bench.Weights;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * The layers of a residual network in float32.
 *
 * @param weights layer by layer, kernel then bias
 */
record OnnxFloats(OnnxGraph graph, Iterator<Weights> weights) implements OnnxResidual.Operations {
  OnnxFloats(OnnxGraph graph, List<Weights> weights) {
    this(graph, weights.iterator());
  }

  @Override
  public void convolution(OnnxResidual.Step step, Map<String, Object> window) {
    Weights kernel = weights.next();
    long[] d = kernel.dims();
    float[] values = Layouts.kernel(kernel.values(), (int) (d[0] * d[1]), (int) d[2], (int) d[3]);
    String w = graph.constant(step.name() + "/kernel", values, d[3], d[2], d[0], d[1]);
    graph.node("Conv", before(step), window, step.input(), w, bias(step));
    relu(step);
  }

  @Override
  public void sum(OnnxResidual.Step step) {
    graph.node("Add", before(step), Map.of(), step.inputs().get(0), step.inputs().get(1));
    relu(step);
  }

  @Override
  public void mean(OnnxResidual.Step step) {
    String mean = graph.node("GlobalAveragePool", step.value() + "/mean", Map.of(), step.input());
    graph.node("Flatten", step.value(), Map.of("axis", 1L), mean);
  }

  @Override
  public void dense(OnnxResidual.Step step) {
    Weights kernel = weights.next();
    String w = graph.constant(step.name() + "/kernel", kernel.values(), kernel.dims());
    graph.node("Gemm", step.value(), Map.of(), step.input(), w, bias(step));
    graph.node("Softmax", "y", Map.of("axis", 1L), step.value());
  }

  private String bias(OnnxResidual.Step step) {
    Weights bias = weights.next();
    return graph.constant(step.name() + "/bias", bias.values(), bias.dims());
  }

  private static String before(OnnxResidual.Step step) {
    return step.relu() ? step.value() + "/before" : step.value();
  }

  private void relu(OnnxResidual.Step step) {
    if (step.relu()) {
      graph.node("Relu", step.value(), Map.of(), before(step));
    }
  }
}
