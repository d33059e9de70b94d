package dev.crema.bench.peers;

import dev.crema.bench.QuantizedLayer;
import dev.crema.bench.QuantizedNetwork;
import dev.crema.nn.Topology;
import dev.crema.op.QuantizationParameters;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The layers of a residual network in int8: no value between them is float32. */
final class OnnxResidualInt8 implements OnnxResidual.Operations {
  private static final String BYTES = "bytes"; // the input

  private final OnnxGraph graph;
  private final QuantizedNetwork network;
  private final Map<String, QuantizationParameters> values = new HashMap<>();

  OnnxResidualInt8(OnnxGraph graph, QuantizedNetwork network) {
    this.graph = graph;
    this.network = network;
    for (Topology.Place place : network.topology().places()) {
      List<QuantizationParameters> inputs = network.inputs().getOrDefault(place.name(), List.of());
      for (int i = 0; i < inputs.size(); i++) {
        QuantizationParameters known = values.put(place.inputs().get(i), inputs.get(i));
        if (known != null && !known.equals(inputs.get(i))) {
          throw new IllegalStateException(place.inputs().get(i) + " is read as two kinds of bytes");
        }
      }
    }
    values.forEach(
        (value, q) -> {
          graph.constant(value + "/scale", new float[] {q.scale()});
          graph.constant(value + "/zero", OnnxGraph.UINT8, new byte[] {(byte) q.zeroPoint()});
        });
    String x = network.topology().inputs().get(0).name();
    graph.node("QuantizeLinear", BYTES, Map.of(), x, x + "/scale", x + "/zero");
  }

  /** Inputs of an operation: values with their scales and zero points. */
  private List<String> inputs(OnnxResidual.Step step) {
    List<String> all = new ArrayList<>();
    String x = network.topology().inputs().get(0).name();
    step.inputs()
        .forEach(v -> all.addAll(List.of(v.equals(x) ? BYTES : v, v + "/scale", v + "/zero")));
    return all;
  }

  private List<String> output(OnnxResidual.Step step) {
    if (step.relu() && values.get(step.value()).zeroPoint() != 0) {
      throw new IllegalStateException("Saturation is no ReLU of " + step.value());
    }
    return List.of(step.value() + "/scale", step.value() + "/zero");
  }

  /** The kernel with scales and zero points of its outputs. */
  private List<String> kernel(QuantizedLayer layer, String name, byte[] values, long... dims) {
    int units = layer.scales().length;
    return List.of(
        OnnxWeights.of(graph, name + "/kernel", values, dims),
        graph.constant(name + "/columns", layer.scales(), units),
        OnnxWeights.zeros(graph, name + "/middle", units, units));
  }

  private String bias(QuantizedLayer layer, String name) {
    return graph.constant(name + "/bias", layer.bias(), layer.bias().length);
  }

  @Override
  public void convolution(OnnxResidual.Step step, Map<String, Object> window) {
    QuantizedLayer layer = network.products().get(step.name());
    long[] d = layer.dims();
    List<String> in = inputs(step);
    in.addAll(kernel(layer, step.name(), Layouts.filters(layer), d[3], d[2], d[0], d[1]));
    in.addAll(output(step));
    in.add(bias(layer, step.name()));
    graph.node("QLinearConv", step.value(), window, in.toArray(String[]::new));
  }

  @Override
  public void sum(OnnxResidual.Step step) {
    List<String> in = inputs(step);
    in.addAll(output(step));
    graph.own("QLinearAdd", step.value(), in.toArray(String[]::new));
  }

  @Override
  public void mean(OnnxResidual.Step step) {
    List<String> in = inputs(step);
    in.addAll(output(step));
    String mean = step.value() + "/mean";
    graph.own("QLinearGlobalAveragePool", mean, in.toArray(String[]::new));
    graph.node("Flatten", step.value(), Map.of("axis", 1L), mean);
  }

  @Override
  public void dense(OnnxResidual.Step step) {
    QuantizedLayer layer = network.products().get(step.name());
    List<String> in = inputs(step);
    in.addAll(kernel(layer, step.name(), layer.kernel(), layer.dims()));
    in.add(bias(layer, step.name()));
    graph.own("QGemm", step.value(), in.toArray(String[]::new));
    graph.node("Softmax", "y", Map.of("axis", 1L), step.value());
  }
}
