package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.data.IndexedDataset;
import dev.crema.data.Mnist;
import dev.crema.memory.Shape;
import dev.crema.nn.Activate;
import dev.crema.nn.Activation;
import dev.crema.nn.BatchNorm;
import dev.crema.nn.Conv2d;
import dev.crema.nn.Flatten;
import dev.crema.nn.Gru;
import dev.crema.nn.Layer;
import dev.crema.nn.LayerNorm;
import dev.crema.nn.Lstm;
import dev.crema.nn.Model;
import dev.crema.nn.Padding;
import dev.crema.nn.Parameter;
import dev.crema.nn.ReshapeTo;
import dev.crema.nn.Sequential;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models with normalisation and recurrent layers, trained from end to end. */
class NormTrainingTest {
  @TempDir private Path folder;

  private static Model convolutional() {
    Sequential layers = Model.sequential(100);
    layers.add(ReshapeTo.of(10, 10, 1));
    layers.add(Conv2d.of(8, 3).withPadding(Padding.SAME).withoutBias());
    layers.add(new BatchNorm());
    layers.add(new Activate(Activation.RELU));
    layers.add(Conv2d.of(16, 3).withStrides(2).withoutBias());
    layers.add(new BatchNorm());
    layers.add(new Activate(Activation.RELU));
    return layers.add(new Flatten()).dense(10, Activation.SOFTMAX).build(3);
  }

  private History train(Model model, int epochs, boolean resume, String checkpoint) {
    Mnist digits = Mnist.sample10x10();
    return Trainer.of(model)
        .optimizer(Optimizer.adam(0.003))
        .epochs(epochs)
        .batchSize(64)
        .validation(digits.test().take(1000))
        .checkpoint(folder.resolve(checkpoint))
        .resume(resume)
        .fit(digits.train().take(4000));
  }

  @Test
  void batchNormLearnsDigitsAndEvaluatesByItsRunningStatistics() {
    IndexedDataset test = Mnist.sample10x10().test().take(1000);
    try (Model model = convolutional()) {
      History history = train(model, 4, false, "whole");
      assertThat(history.last().metric("val_accuracy")).isGreaterThan(0.9);

      Parameter mean =
          model.table().all().stream()
              .filter(p -> p.path().contains("mean"))
              .findFirst()
              .orElseThrow();
      float[] running = model.get(mean.path());
      assertThat(running).as("running means have moved").doesNotContain(0);

      // One example at a time gives what a batch gives: the batch's statistics play no part.
      float[][] examples = examples(test, 5);
      float[][] together = model.predict(examples);
      for (int i = 0; i < examples.length; i++) {
        float[] alone = model.predict(examples[i]);
        for (int c = 0; c < 10; c++) {
          assertThat(alone[c]).isCloseTo(together[i][c], within(1e-5f));
        }
      }
      float[] moved = running.clone();
      for (int i = 0; i < moved.length; i++) {
        moved[i] += 5;
      }
      model.set(mean.path(), moved);
      assertThat(model.predict(examples[0])).as("they are used").isNotEqualTo(together[0]);
      model.set(mean.path(), running);

      model.save(folder.resolve("saved"));
      try (Model loaded = Model.load(folder.resolve("saved"));
          Model parts = convolutional();
          Model rest = convolutional()) {
        assertThat(loaded.predict(examples)).isDeepEqualTo(model.predict(examples));
        train(parts, 2, false, "parts");
        History resumed = train(rest, 4, true, "parts");
        assertThat(resumed.series("val_loss")).isEqualTo(history.series("val_loss"));
        for (Parameter p : model.table().all()) {
          assertThat(rest.get(p.path())).as(p.path()).isEqualTo(model.get(p.path()));
        }
      }
    }
  }

  private static float[][] examples(IndexedDataset data, int n) {
    float[][] result = new float[n][100];
    java.nio.ByteBuffer x =
        java.nio.ByteBuffer.allocateDirect(4 * 100 * n).order(java.nio.ByteOrder.nativeOrder());
    java.nio.ByteBuffer y =
        java.nio.ByteBuffer.allocateDirect(4 * n).order(java.nio.ByteOrder.nativeOrder());
    try (Dataset.Reader reader = data.reader(dev.crema.data.Order.sequential())) {
      reader.read(java.util.List.of(x, y), n);
    }
    for (int i = 0; i < n; i++) {
      x.asFloatBuffer().get(i * 100, result[i]);
    }
    return result;
  }

  /** Sequences of 6 numbers; the class is whether the first is above the last. */
  private static IndexedDataset sequences(long seed) {
    Random random = new Random(seed);
    int n = 600;
    float[] x = new float[n * 6];
    int[] y = new int[n];
    for (int i = 0; i < n; i++) {
      for (int t = 0; t < 6; t++) {
        x[i * 6 + t] = (float) random.nextGaussian();
      }
      y[i] = x[i * 6] > x[i * 6 + 5] ? 1 : 0;
    }
    return Datasets.of(x, Shape.of(6, 1), y, java.util.List.of("falls", "rises"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"lstm", "gru", "lstm of sequences"})
  void recurrentLayersLearnWhatOnlyMemoryTells(String kind) {
    Layer layer =
        switch (kind) {
          case "lstm" -> Lstm.of(12);
          case "gru" -> Gru.of(12);
          default -> Lstm.sequences(8);
        };
    Sequential layers = Model.sequential(6, 1).add(layer);
    if (kind.contains("sequences")) {
      layers.add(Gru.of(8));
    }
    try (Model model = layers.dense(2, Activation.SOFTMAX).build(4)) {
      History history =
          Trainer.of(model)
              .optimizer(Optimizer.adam(0.01))
              .epochs(25)
              .validation(sequences(2))
              .fit(sequences(1));
      assertThat(history.last().metric("val_accuracy")).isGreaterThan(0.9);
    }
  }

  @Test
  void layerNormLearnsFromInputsOfAnyScale() {
    Random random = new Random(1);
    float[][] x = new float[500][4];
    int[] y = new int[500];
    for (int i = 0; i < x.length; i++) {
      double scale = Math.pow(10, random.nextInt(7) - 3);
      for (int j = 0; j < 4; j++) {
        x[i][j] = (float) (scale * random.nextGaussian());
      }
      y[i] = x[i][0] > x[i][1] ? 1 : 0;
    }
    Dataset data = Datasets.of(x, y);
    try (Model model =
        Model.sequential(4)
            .add(new LayerNorm().withEpsilon(1e-9))
            .dense(16, Activation.RELU)
            .dense(2, Activation.SOFTMAX)
            .build(1)) {
      History history =
          Trainer.of(model).optimizer(Optimizer.adam(0.01)).epochs(30).validation(data).fit(data);
      assertThat(history.last().metric("val_accuracy")).isGreaterThan(0.95);
    }
  }
}
