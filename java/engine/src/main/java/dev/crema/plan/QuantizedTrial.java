package dev.crema.plan;

import dev.crema.device.Device;
import dev.crema.graph.Application;
import dev.crema.graph.TensorType;
import dev.crema.op.QuantizationParameters;
import dev.crema.pass.LayerQuantization;
import dev.crema.pass.Prepack;
import dev.crema.pass.QuantizationScheme;
import dev.crema.pass.Quantize;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Whether a dense layer pays with quantized weights: it is measured on this machine beside the same
 * layer in float32, at the plan's capacity, with random weights of the same shape, which takes a
 * few hundredths of a second. The answer is kept for as long as the process runs. Thread-safe.
 *
 * @param capacity most examples of a batch
 * @param threads of the pool; 0 for all
 */
public record QuantizedTrial(Device device, int capacity, int threads) implements Quantize.Choice {
  private static final float INPUT_SCALE = 0x1p-8f; // of inputs around 1, as fp8

  private static final Answers<Question> ANSWERS = new Answers<>();

  public QuantizedTrial {
    Objects.requireNonNull(device, "device");
  }

  @Override
  public boolean pays(Application product, QuantizationScheme scheme) {
    Question question =
        new Question(
            device.toString() + " " + device.description(),
            ProductRace.Product.of(product),
            scheme,
            capacity,
            threads);
    return ANSWERS.of(question, this::measure);
  }

  private boolean measure(Question question) {
    TensorType kernel = question.product().kernel();
    QuantizationScheme scheme = question.scheme();
    long scales = scheme.groups(kernel.extent(0)) * kernel.extent(1);
    float[] all = new float[Math.toIntExact(scales)];
    Arrays.fill(all, 0.5f / scheme.most()); // of weights from -0.5 to 0.5
    List<QuantizationParameters> inputs =
        scheme.isCalibrated() ? List.of(new QuantizationParameters(INPUT_SCALE, 0)) : List.of();
    LayerQuantization layer = new LayerQuantization(scheme, inputs, all);
    Quantize quantize = new Quantize(Map.of(ProductRace.LAYER, layer));
    try (ProductRace race =
        new ProductRace(question.product(), (random, i) -> true, device, capacity, threads)) {
      return race.isFaster(List.of(quantize), List.of(new Prepack()));
    }
  }

  /** What an answer depends on. */
  private record Question(
      String device,
      ProductRace.Product product,
      QuantizationScheme scheme,
      int capacity,
      int threads) {}
}
