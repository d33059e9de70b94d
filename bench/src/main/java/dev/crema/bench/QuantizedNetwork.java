package dev.crema.bench;

import dev.crema.CremaException;
import dev.crema.compress.Quantizer;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.nn.Model;
import dev.crema.nn.Quantization;
import dev.crema.nn.Topology;
import dev.crema.op.QuantizationParameters;
import dev.crema.pass.LayerQuantization;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A network as Crema's static quantization leaves it.
 *
 * @param topology its layers
 * @param products dense layers and convolutions by name, first to last
 * @param inputs how layers read their inputs, by the layers' names
 */
public record QuantizedNetwork(
    Topology topology,
    Map<String, QuantizedLayer> products,
    Map<String, List<QuantizationParameters>> inputs) {

  /** The network quantized by the batch that is predicted; the caller closes it. */
  static Model model(Problem.Prediction problem) {
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

  static QuantizedNetwork of(Problem.Prediction problem) {
    Map<String, QuantizedLayer> products = new LinkedHashMap<>();
    Map<String, List<QuantizationParameters>> inputs = new LinkedHashMap<>();
    try (Model model = model(problem)) {
      for (Map.Entry<String, LayerQuantization> e : model.quantization().layers().entrySet()) {
        inputs.put(e.getKey(), e.getValue().inputs());
        if (Quantization.kernelOf(model.topology(), e.getKey()) != null) {
          products.put(e.getKey(), QuantizedLayer.of(model, e.getKey(), e.getValue()));
        }
      }
      int expected = problem.network().weights().size() / 2;
      if (products.size() != expected) {
        throw new CremaException(
            "All " + expected + " layers should be quantized, but " + products.size() + " are");
      }
      return new QuantizedNetwork(model.topology(), products, inputs);
    }
  }
}
