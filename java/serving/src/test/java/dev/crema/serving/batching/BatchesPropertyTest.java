package dev.crema.serving.batching;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import dev.crema.serving.Served;
import dev.crema.serving.execution.BatchSettings;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.ModelRepository;
import dev.crema.serving.repository.ModelSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/** However requests are split and put together, everyone gets the answers to what he asked. */
class BatchesPropertyTest {
  /**
   * A product may add up in another order in a batch than alone: 17 terms of a magnitude of about 1
   * then differ by a few units in the last place of their sum, and the second layer's likewise.
   */
  private static final float TOLERANCE = 2e-5f;

  private static final int FEATURES = 17;
  private static Path models;
  private static Model model;

  @BeforeContainer
  static void save() throws IOException {
    models = Files.createTempDirectory("models");
    model = Model.sequential(FEATURES).dense(33, Activation.RELU).dense(3).build(11);
    model.save(models.resolve("m/1"));
  }

  @AfterContainer
  static void close() throws IOException {
    model.close();
    try (var files = Files.walk(models)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  @Property(tries = 25, shrinking = ShrinkingMode.OFF)
  void answersAreThoseOfSinglePredictions(
      @ForAll @Size(min = 1, max = 20) List<@IntRange(max = 40) Integer> requests,
      @ForAll @IntRange(min = 1, max = 16) int maximumBatch,
      @ForAll @IntRange(min = 1, max = 3) int processors) {
    Gate gate = new Gate();
    var settings =
        ModelSettings.DEFAULT.withBatching(BatchSettings.DEFAULT.withMaximumBatch(maximumBatch));
    try (ModelRepository repository =
            ModelRepository.of(models).pollInterval(Duration.ZERO).settings(settings).open();
        BatchingInference inference =
            new BatchingInference(repository, gate, processors, Duration.ofSeconds(30))) {
      List<CompletableFuture<InferenceResponse>> held = new ArrayList<>();
      for (int i = 0; i < processors; i++) { // all processors are held; then the rest must wait
        held.add(
            CompletableFuture.supplyAsync(
                () -> inference.infer(Served.request("m", new float[FEATURES], 1)).join(),
                command -> new Thread(command).start()));
      }
      while (gate.batches.size() < processors) {
        Thread.onSpinWait();
      }
      List<CompletableFuture<InferenceResponse>> answers = new ArrayList<>();
      List<float[]> examples = new ArrayList<>();
      for (int i = 0; i < requests.size(); i++) {
        int rows = requests.get(i);
        examples.add(Served.random(i, rows * FEATURES));
        answers.add(
            inference.infer(
                InferenceRequest.of(
                    ModelReference.of("m"),
                    Map.of("x", Served.floats(examples.get(i), rows, FEATURES)))));
      }
      gate.open();
      held.forEach(future -> future.orTimeout(60, TimeUnit.SECONDS).join());
      for (int i = 0; i < answers.size(); i++) {
        check(examples.get(i), answers.get(i).orTimeout(60, TimeUnit.SECONDS).join());
      }
      assertThat(gate.batches).allMatch(batch -> batch.examples() <= maximumBatch);
    }
  }

  private static void check(float[] examples, InferenceResponse response) {
    float[] y = Served.output(response);
    assertThat(y).hasSize(examples.length / FEATURES * 3);
    for (int row = 0; row < examples.length / FEATURES; row++) {
      float[] alone =
          model.predict(Arrays.copyOfRange(examples, row * FEATURES, (row + 1) * FEATURES));
      for (int i = 0; i < 3; i++) {
        assertThat(Math.abs(y[row * 3 + i] - alone[i]))
            .as("row %d, output %d", row, i)
            .isLessThanOrEqualTo(TOLERANCE * Math.max(1, Math.abs(alone[i])));
      }
    }
  }
}
