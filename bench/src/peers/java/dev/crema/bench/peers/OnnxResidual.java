package dev.crema.bench.peers;

import dev.crema.nn.Activate;
import dev.crema.nn.Activation;
import dev.crema.nn.Add;
import dev.crema.nn.Conv2d;
import dev.crema.nn.Dense;
import dev.crema.nn.GlobalAveragePool;
import dev.crema.nn.Topology;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Walks through a residual network whose convolutions have padding "same", layer by layer. */
final class OnnxResidual {
  /**
   * A layer with the ReLU behind it, if only that reads it. Values are named by the layers that
   * give them.
   *
   * @param name of the layer
   * @param inputs what it reads
   * @param value what it gives
   * @param relu whether ReLU is applied to that
   */
  record Step(String name, List<String> inputs, String value, boolean relu) {
    String input() {
      return inputs.get(0);
    }
  }

  /** What is done with the layers. */
  interface Operations {
    /**
     * @param window attributes of ONNX
     */
    void convolution(Step step, Map<String, Object> window);

    void sum(Step step);

    /** Of all pixels. */
    void mean(Step step);

    /** The last layer, and softmax. */
    void dense(Step step);
  }

  private OnnxResidual() {}

  static void walk(Topology topology, Operations operations) {
    Map<String, Long> sides = new HashMap<>(); // of images, by the values' names
    topology.inputs().forEach(x -> sides.put(x.name(), x.type().extent(1)));
    Set<String> done = new HashSet<>();
    for (Topology.Place place : topology.places()) {
      if (done.contains(place.name())) {
        continue;
      }
      List<Topology.Place> readers =
          topology.places().stream().filter(p -> p.inputs().contains(place.name())).toList();
      boolean relu = readers.size() == 1 && readers.get(0).layer() instanceof Activate;
      String value = relu ? readers.get(0).name() : place.name();
      done.add(value);
      Step step = new Step(place.name(), place.inputs(), value, relu);
      Long side = sides.get(step.input());
      if (place.layer() instanceof Conv2d c && c.activation() == Activation.LINEAR) {
        int stride = c.strides().height();
        int taps = c.kernel().height();
        long out = (side + stride - 1) / stride;
        sides.put(value, out);
        operations.convolution(step, window(taps, stride, (out - 1) * stride + taps - side));
      } else if (place.layer() instanceof Add) {
        sides.put(value, side);
        operations.sum(step);
      } else if (place.layer() instanceof GlobalAveragePool) {
        operations.mean(step);
      } else if (place.layer() instanceof Dense) {
        operations.dense(step);
      } else {
        throw new IllegalStateException("No residual network has " + place);
      }
    }
  }

  /**
   * @param padding pixels that are added to a side of the image, the odd one at its end
   */
  private static Map<String, Object> window(long taps, long stride, long padding) {
    long before = Math.max(0, padding) / 2;
    long after = Math.max(0, padding) - before;
    return Map.of(
        "kernel_shape",
        new long[] {taps, taps},
        "strides",
        new long[] {stride, stride},
        "pads",
        new long[] {before, before, after, after});
  }
}
