package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Mnist;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.nn.Activate;
import dev.crema.nn.Activation;
import dev.crema.nn.Add;
import dev.crema.nn.BatchNorm;
import dev.crema.nn.Conv2d;
import dev.crema.nn.Dense;
import dev.crema.nn.Flatten;
import dev.crema.nn.MaxPool2d;
import dev.crema.nn.Model;
import dev.crema.nn.Padding;
import dev.crema.nn.Symbol;
import dev.crema.plan.Plan;
import dev.crema.train.Evaluator;
import dev.crema.train.Optimizer;
import dev.crema.train.Trainer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuantizationAwareTrainingTest {
  private static final Mnist DIGITS = Mnist.sample10x10();

  private static double accuracy(Model model, Dataset test) {
    try (Evaluator evaluator = Evaluator.of(model, test)) {
      return evaluator.evaluate(test).classification().accuracy();
    }
  }

  private static Model trained() {
    Model model = Model.sequential(100).dense(24, Activation.RELU).dense(10).build(1);
    Trainer.of(model).epochs(4).fit(DIGITS.train());
    return model;
  }

  /** Rounded so coarsely that calibration alone must cost something: two narrow layers. */
  @Test
  void winsBackWhatRoundingCosts() {
    try (Model model = trained()) {
      Dataset train = DIGITS.train();
      double dense = accuracy(model, DIGITS.test());
      try (Model int8 =
          QuantizationAwareTraining.train(
              model,
              Quantizer.standard(),
              train,
              t -> t.optimizer(Optimizer.adam(1e-4)).epochs(2).fit(train))) {
        assertThat(int8.quantization().layers()).hasSize(2);
        // A tenth of a point of 2,000 digits is two of them.
        assertThat(accuracy(int8, DIGITS.test())).isGreaterThanOrEqualTo(dense - 0.001);
      }
      assertThat(model.quantization()).isNull();
      assertThat(accuracy(model, DIGITS.test())).isEqualTo(dense);
    }
  }

  /** A convolution, a residual sum, pooling and normalisation that is folded; 10 x 10 pixels. */
  private static Model residual() {
    Symbol x = Symbol.input("x", 10, 10, 1);
    Symbol a =
        x.then(Conv2d.of(8, 3, Activation.LINEAR))
            .then(new BatchNorm())
            .then(new Activate(Activation.RELU));
    Symbol b = a.then(Conv2d.of(8, 3, Activation.LINEAR).withPadding(Padding.SAME));
    Symbol sum = new Add().apply(a, b.then(new BatchNorm())).then(new Activate(Activation.RELU));
    Symbol y = sum.then(MaxPool2d.of(2)).then(new Flatten()).then(Dense.of(10));
    return Model.of(List.of(x), List.of(y), 1);
  }

  /**
   * What the training sees is what the bytes compute, up to rounding that lands on the other side.
   */
  @Test
  void trainsWhatTheQuantizedModelComputes() {
    int rows = 64;
    Dataset train = DIGITS.train().take(1000);
    try (Model model = residual()) {
      Trainer.of(model).epochs(2).fit(train);
      try (Model folded = BatchNormFolding.fold(model);
          Model int8 = Quantizer.standard().quantize(model, train)) {
        float[][] x = new float[rows][100];
        Random random = new Random(5);
        for (float[] row : x) {
          for (int i = 0; i < row.length; i++) {
            row[i] = random.nextFloat();
          }
        }
        float[][] expected = int8.predict(x);
        Graph graph = new Graph();
        Node y = folded.build(graph, false, int8.quantization()).outputs().get(0);
        try (Plan plan =
            Plan.of(graph)
                .outputs(y)
                .capacity(rows)
                .storage(Storage.PARAMETERS, folded.parameters())
                .storage(Storage.STATE, folded.state())
                .build()) {
          FloatBuffer input = plan.input("x").floats();
          for (float[] row : x) {
            input.put(row);
          }
          plan.run(rows);
          int equal = 0;
          for (int i = 0; i < rows * 10; i++) {
            float got = plan.output(y).getFloat(4 * i);
            equal += Math.abs(got - expected[i / 10][i % 10]) < 1e-4 ? 1 : 0;
            // A byte that is one step off moves an output by a step times a weight.
            assertThat(got).isCloseTo(expected[i / 10][i % 10], Offset.offset(0.05f));
          }
          // Such a byte moves all outputs of its row: of a quarter of the rows with AVX-512, of
          // fewer with AVX2.
          assertThat(equal).as("of %d", rows * 10).isGreaterThan(rows * 6);
        }
      }
    }
  }

  @Test
  void prunedWeightsStayZeroInBytes(@TempDir Path folder) {
    try (Model model = trained()) {
      Pruner.magnitude().prune(model, 0.8);
      float[] before = model.get("dense_1/kernel");
      try (Model int8 =
          QuantizationAwareTraining.train(
              model,
              Quantizer.standard(),
              DIGITS.train(),
              t -> t.optimizer(Optimizer.adam(1e-3)).epochs(1).fit(DIGITS.train()))) {
        Path file = folder.resolve("int8");
        int8.save(file);
        try (Model loaded = Model.load(file)) {
          float[] after = loaded.get("dense_1/kernel");
          boolean changed = false;
          for (int i = 0; i < before.length; i++) {
            changed |= before[i] != after[i];
            assertThat(before[i] != 0 || after[i] == 0).as("weight %d", i).isTrue();
          }
          assertThat(changed).isTrue();
        }
      }
    }
  }

  @Test
  void normalisationIsFoldedBeforeTraining() {
    Dataset train = DIGITS.train().take(2000);
    try (Model model = residual()) {
      Trainer.of(model).epochs(3).fit(train);
      double dense = accuracy(model, DIGITS.test());
      try (Model int8 =
          QuantizationAwareTraining.train(
              model,
              Quantizer.standard(),
              train,
              t -> t.optimizer(Optimizer.adam(1e-4)).epochs(1).fit(train))) {
        assertThat(int8.topology().places()).noneMatch(p -> p.layer() instanceof BatchNorm);
        assertThat(int8.quantization().layers()).hasSize(4); // two convolutions, the sum, the last
        assertThat(accuracy(int8, DIGITS.test())).isGreaterThan(dense - 0.01);
      }
    }
  }

  @Test
  void whatTheTrainerRefusesComesThrough() {
    AtomicReference<Trainer> seen = new AtomicReference<>();
    try (Model model = trained()) {
      assertThatThrownBy(
              () ->
                  QuantizationAwareTraining.train(
                      model,
                      Quantizer.standard(),
                      DIGITS.train(),
                      t -> {
                        seen.set(t);
                        throw new CremaException("stop");
                      }))
          .isInstanceOf(CremaException.class)
          .hasMessage("stop");
      assertThat(seen.get()).isNotNull();
      try (Model int8 = Quantizer.standard().quantize(model, DIGITS.train())) {
        assertThatThrownBy(
                () ->
                    QuantizationAwareTraining.train(
                        int8, Quantizer.standard(), DIGITS.train(), t -> {}))
            .hasMessageContaining("quantized already");
      }
    }
  }

  /** One unit reaches a thousand times as far as the others, which a common scale makes 0. */
  @Test
  void whatIsSmoothedIsTrainedAsItWasSmoothed() {
    Dataset train = DIGITS.train().take(2000);
    try (Model model = trained()) {
      double dense = accuracy(model, DIGITS.test());
      float[] kernel = model.get("dense_1/kernel");
      float[] bias = model.get("dense_1/bias");
      float[] next = model.get("dense_2/kernel");
      for (int i = 3; i < kernel.length; i += bias.length) {
        kernel[i] *= 1024;
      }
      bias[3] *= 1024;
      for (int j = 30; j < 40; j++) {
        next[j] /= 1024;
      }
      model.set("dense_1/kernel", kernel);
      model.set("dense_1/bias", bias);
      model.set("dense_2/kernel", next);
      Quantizer smooth = Quantizer.standard().withSmoothing(0.5);
      try (Model coarse = Quantizer.standard().quantize(model, train);
          Model int8 = smooth.quantize(model, train);
          Model untrained = QuantizationAwareTraining.train(model, smooth, train, t -> {});
          Model further =
              QuantizationAwareTraining.train(
                  model,
                  smooth,
                  train,
                  t -> t.optimizer(Optimizer.adam(1e-4)).epochs(1).fit(train))) {
        assertThat(accuracy(coarse, DIGITS.test())).isLessThan(dense - 0.1);
        assertThat(accuracy(int8, DIGITS.test())).isGreaterThan(dense - 0.01);
        assertThat(untrained.quantization()).isEqualTo(int8.quantization());
        assertThat(untrained.get("dense_2/kernel")).isEqualTo(int8.get("dense_2/kernel"));
        assertThat(accuracy(further, DIGITS.test())).isGreaterThan(dense - 0.01);
      }
      Compression search = Compression.optimize(model, train).validation(DIGITS.test()).epochs(0);
      search.stopwatch =
          (candidates, batch, data, threads, device) ->
              candidates.stream().mapToDouble(c -> c.name().equals("original") ? 9 : 5).toArray();
      try (CompressionResult result = search.run()) {
        assertThat(result.trials())
            .anyMatch(
                t ->
                    t.name().matches("int8 .*, smoothed")
                        && (t.outcome() == Trial.Outcome.PASSED
                            || t.outcome() == Trial.Outcome.KEPT));
      }
    }
  }
}
