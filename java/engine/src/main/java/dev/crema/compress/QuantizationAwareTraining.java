package dev.crema.compress;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.nn.Model;
import dev.crema.nn.Quantization;
import dev.crema.op.QuantizationParameters;
import dev.crema.pass.QuantizationScheme;
import dev.crema.train.Trainer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * Quantization-aware training (Jacob et al. 2018): a trained model is trained a little further
 * while its layers already round kernels, rows of embeddings and inputs to what bytes can stand
 * for, so that it learns to do well with them. Batch normalisation is folded into the layers before
 * it, and the ranges of what layers read are calibrated and frozen, before the training begins;
 * scales of weights follow them. Gradients pass straight through the rounding. Masks of pruned
 * parameters are kept.
 *
 * <pre>{@code
 * try (Model int8 =
 *     QuantizationAwareTraining.train(
 *         model,
 *         Quantizer.standard(),
 *         data,
 *         trainer -> trainer.optimizer(Optimizer.adam(1e-4)).epochs(2).fit(data))) {
 *   int8.save(Path.of("int8"));
 * }
 * }</pre>
 */
public final class QuantizationAwareTraining {
  private QuantizationAwareTraining() {}

  /**
   * Trains a copy of a model and quantizes it as it was trained.
   *
   * @param model stays as it is and open
   * @param quantizer says which layers, and how ranges are calibrated
   * @param calibration examples as the model will meet them
   * @param training sets the trainer up and trains with it; a tenth of the learning rate that the
   *     model was trained with, for a few epochs, is usual. The trainer's validation is that of the
   *     float32 parameters.
   * @return a model that predicts with int8 weights and uint8 inputs; the caller closes it
   * @throws dev.crema.CremaException as {@link Quantizer#quantize(Model, Dataset)} and the trainer,
   *     or if the quantizer is not static
   */
  public static Model train(
      Model model, Quantizer quantizer, Dataset calibration, Consumer<Trainer> training) {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(quantizer, "quantizer");
    Objects.requireNonNull(calibration, "calibration");
    Objects.requireNonNull(training, "training");
    if (quantizer.scheme().method() != QuantizationScheme.Method.STATIC) {
      throw new CremaException(
          "Training that knows of the quantization is for static ones, got "
              + quantizer.scheme().method()
              + ". Use Quantizer.standard().");
    }
    try (Model prepared = quantizer.prepared(model, calibration)) {
      Quantization start;
      try (Model quantized = quantizer.quantizePrepared(prepared, calibration)) {
        start = quantized.quantization();
      }
      training.accept(Trainer.of(prepared).rounding(start));
      Map<String, List<QuantizationParameters>> inputs = new LinkedHashMap<>();
      start.layers().forEach((name, q) -> inputs.put(name, q.inputs()));
      return Quantizer.quantize(prepared, inputs);
    }
  }
}
