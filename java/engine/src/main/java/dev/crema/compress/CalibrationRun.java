package dev.crema.compress;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Order;
import dev.crema.device.Device;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.nn.Model;
import dev.crema.nn.Topology;
import dev.crema.plan.Plan;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs a model in float32 and looks at what some of its layers read. */
final class CalibrationRun implements AutoCloseable {
  private static final int BATCH = 64;
  private static final double NEW = 0.1; // weight of a batch in a moving average

  private final Model model;
  private final Dataset data;
  private final Map<Node, String> values;
  private final Plan plan;
  private final List<ByteBuffer> buffers = new ArrayList<>();

  /**
   * @param values in {@code graph}, and which layer reads them
   */
  CalibrationRun(Model model, Graph graph, Map<Node, String> values, Dataset data, Device device) {
    this.model = model;
    this.data = data;
    this.values = values;
    this.plan =
        Plan.of(graph)
            .outputs(values.keySet().toArray(Node[]::new))
            .capacity(BATCH)
            .device(device)
            .storage(Storage.PARAMETERS, model.parameters())
            .storage(Storage.STATE, model.state())
            .build();
    for (Dataset.Slot slot : data.inputs()) {
      buffers.add(
          ByteBuffer.allocateDirect(Math.multiplyExact(BATCH, slot.rowBytes()))
              .order(ByteOrder.nativeOrder()));
    }
  }

  /**
   * The range of each value.
   *
   * @throws CremaException if there is no example, or an activation is not finite
   */
  Map<Node, CalibrationRange> ranges(CalibrationMethod method) {
    Map<Node, CalibrationRange> whole = extremes(method == CalibrationMethod.MOVING_AVERAGE);
    if (!method.needsHistogram()) {
      return whole;
    }
    Map<Node, CalibrationHistogram> histograms = new LinkedHashMap<>();
    whole.forEach((node, r) -> histograms.put(node, new CalibrationHistogram(r.low(), r.high())));
    eachBatch(
        (node, values) -> {
          CalibrationHistogram histogram = histograms.get(node);
          for (int i = 0; i < values.limit(); i++) {
            histogram.add(values.get(i));
          }
        });
    Map<Node, CalibrationRange> ranges = new LinkedHashMap<>();
    histograms.forEach((node, h) -> ranges.put(node, h.range(method)));
    return ranges;
  }

  private Map<Node, CalibrationRange> extremes(boolean average) {
    Map<Node, CalibrationRange> ranges = new LinkedHashMap<>();
    eachBatch(
        (node, batchValues) -> {
          CalibrationRange batch = extremes(this.values.get(node), batchValues);
          CalibrationRange known = ranges.get(node);
          if (known == null) {
            ranges.put(node, batch);
          } else if (average) {
            ranges.put(node, known.towards(batch, NEW));
          } else {
            ranges.put(node, known.with(batch.low()).with(batch.high()));
          }
        });
    requireExamples(ranges);
    return ranges;
  }

  /**
   * The largest magnitude that each element of the last axis of each value has.
   *
   * @throws CremaException if there is no example, or an activation is not finite
   */
  Map<Node, float[]> channelMaxima() {
    Map<Node, float[]> maxima = new LinkedHashMap<>();
    eachBatch(
        (node, batchValues) -> {
          int channels = (int) node.type().extent(-1);
          float[] most = maxima.computeIfAbsent(node, x -> new float[channels]);
          for (int i = 0; i < batchValues.limit(); i++) {
            float v = batchValues.get(i);
            requireFinite(this.values.get(node), v);
            most[i % channels] = Math.max(most[i % channels], Math.abs(v));
          }
        });
    requireExamples(maxima);
    return maxima;
  }

  private void requireExamples(Map<Node, ?> measured) {
    if (measured.size() < values.size()) {
      throw new CremaException(
          "Calibration needs examples, but the dataset has none. Give it some of those that the"
              + " model was trained with.");
    }
  }

  private static CalibrationRange extremes(String layer, FloatBuffer values) {
    float low = values.get(0);
    float high = low;
    for (int i = 0; i < values.limit(); i++) {
      float v = values.get(i);
      requireFinite(layer, v);
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
    return new CalibrationRange(low, high);
  }

  private static void requireFinite(String layer, float value) {
    if (!Float.isFinite(value)) {
      throw new CremaException(
          "The input of "
              + layer
              + " is "
              + value
              + " for an example of the calibration data. Look for such numbers in the data and in"
              + " the parameters of the layers before it.");
    }
  }

  /** What is to be done with what a value was for a batch. */
  private interface Visitor {
    void visit(Node node, FloatBuffer values);
  }

  private void eachBatch(Visitor visitor) {
    int[] places = places();
    try (Dataset.Reader reader = data.reader(Order.sequential())) {
      for (int rows = reader.read(buffers, BATCH); rows > 0; rows = reader.read(buffers, BATCH)) {
        List<Topology.InputSpec> inputs = model.topology().inputs();
        for (int i = 0; i < places.length; i++) {
          String name = inputs.get(i).name();
          if (plan.inputs().contains(name)) {
            ByteBuffer from = buffers.get(places[i]).duplicate().clear();
            plan.input(name).borrow(0, from.capacity()).put(from);
          }
        }
        plan.run(rows);
        int count = rows;
        values.forEach(
            (x, layer) -> {
              FloatBuffer floats =
                  plan.output(x).duplicate().order(ByteOrder.nativeOrder()).asFloatBuffer();
              visitor.visit(x, floats.slice(0, Math.toIntExact(x.type().elements().at(count))));
            });
      }
    }
  }

  /** Which of the data's inputs each of the model's is: by name, or else in order. */
  private int[] places() {
    List<String> given = data.inputs().stream().map(Dataset.Slot::name).toList();
    List<Topology.InputSpec> wanted = model.topology().inputs();
    List<String> names = wanted.stream().map(Topology.InputSpec::name).toList();
    boolean named = new HashSet<>(names).equals(new HashSet<>(given));
    int[] places = new int[names.size()];
    for (int i = 0; i < places.length; i++) {
      places[i] = named ? given.indexOf(names.get(i)) : i;
      Dataset.Slot slot = places[i] < given.size() ? data.inputs().get(places[i]) : null;
      Topology.InputSpec input = wanted.get(i);
      if (slot == null
          || slot.type() != input.type().element()
          || slot.width() != input.type().elements().at(1)) {
        throw new CremaException(
            "The model reads '"
                + input.name()
                + "' "
                + input.type()
                + " but the calibration data have "
                + (slot == null ? given : slot.name() + " " + slot.type() + " " + slot.shape()));
      }
    }
    return places;
  }

  @Override
  public void close() {
    plan.close();
  }
}
