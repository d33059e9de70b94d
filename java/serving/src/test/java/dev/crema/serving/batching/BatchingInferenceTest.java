package dev.crema.serving.batching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.memory.ElementType;
import dev.crema.nn.Add;
import dev.crema.nn.Model;
import dev.crema.nn.Symbol;
import dev.crema.serving.Served;
import dev.crema.serving.ServingListener;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.ServingException.Code;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.ModelRepository;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BatchingInferenceTest {
  @TempDir Path models;
  private ModelRepository repository;
  private BatchingInference inference;

  @BeforeEach
  void open() {
    Served.adder(models, "adder", 1);
    try (Model mlp = Served.mlp(3)) {
      mlp.save(models.resolve("mlp/7"));
    }
    repository = ModelRepository.of(models).pollInterval(Duration.ZERO).open();
    inference = new BatchingInference(repository, new ServingListener() {});
  }

  @AfterEach
  void close() {
    inference.close();
    repository.close();
  }

  @Test
  void answersWhatTheModelPredicts() {
    float[] x = Served.random(1, 100);
    InferenceResponse response = inference.infer(Served.request("mlp", x, 1)).join();
    try (Model mlp = Served.mlp(3)) {
      assertThat(Served.output(response)).containsExactly(mlp.predict(x));
    }
    assertThat(response.version()).isEqualTo(7);
    assertThat(response.outputs().values().iterator().next().shape()).containsExactly(1, 10);
    assertThat(response.timings().batch()).isEqualTo(1);
    assertThat(response.timings().compute()).isPositive();
  }

  @Test
  void answersWithTheRequestsId() {
    var request =
        Served.request(
            Served.request("adder", new float[4], 1),
            "r-17",
            InferenceRequest.NO_DEADLINE,
            0,
            "embedded");
    assertThat(inference.infer(request).join().id()).isEqualTo("r-17");
  }

  @Test
  void noExamplesGiveNoAnswers() {
    InferenceResponse response = inference.infer(Served.request("adder", new float[0], 0)).join();
    assertThat(response.outputs().values().iterator().next().shape()).containsExactly(0, 1);
  }

  @Test
  void splitsWhatIsBiggerThanABatch() {
    int rows = 1001;
    float[] x = Served.whole(5, rows * Served.FEATURES);
    float[] y = Served.output(inference.infer(Served.request("adder", x, rows)).join());
    assertThat(y).hasSize(rows);
    for (int r = 0; r < rows; r++) {
      float sum = 1000;
      for (int i = 0; i < Served.FEATURES; i++) {
        sum += x[r * Served.FEATURES + i];
      }
      assertThat(y[r]).isEqualTo(sum);
    }
  }

  @Test
  void saysWhichInputIsWrong() {
    refused(Served.request("adder", new float[6], 2))
        .hasMessage(
            "Input 'x' of model 'adder' expects FLOAT32[-1, 4] (-1: any number of examples), got"
                + " FLOAT32[2, 3]");
    TensorValue x = Served.floats(new float[4], 1, 4);
    refused(InferenceRequest.of(ModelReference.of("adder"), Map.of("y", x)))
        .hasMessageContaining("Input 'x' of model 'adder' is missing")
        .hasMessageContaining("got [y]");
    refused(InferenceRequest.of(ModelReference.of("adder"), Map.of("x", x, "z", x)))
        .hasMessageContaining("has no inputs [z]");
    TensorValue ints =
        new TensorValue(ElementType.INT32, new long[] {1, 4}, ByteBuffer.allocate(16));
    refused(InferenceRequest.of(ModelReference.of("adder"), Map.of("x", ints)))
        .hasMessageContaining("got INT32[1, 4]");
    refused(
            new InferenceRequest(
                "",
                ModelReference.of("adder"),
                Map.of("x", x),
                List.of("nope"),
                InferenceRequest.NO_DEADLINE,
                0,
                "embedded"))
        .hasMessageContaining("has no output 'nope'; it has [dense_1]");
    refused(InferenceRequest.ofRows(ModelReference.of("adder"), List.of(Map.of("a", "1"))))
        .hasMessageContaining("no rows of a table");
  }

  private AbstractThrowableAssert<?, ?> refused(InferenceRequest request) {
    ServingException failure = failure(request);
    assertThat(failure.code()).isEqualTo(Code.INVALID_ARGUMENT);
    return assertThat(failure);
  }

  private ServingException failure(InferenceRequest request) {
    try {
      inference.infer(request).join();
    } catch (CompletionException e) {
      return (ServingException) e.getCause();
    }
    throw new AssertionError("It was answered");
  }

  @Test
  void whatIsNotThereIsNotFound() {
    assertThat(failure(Served.request("nobody", new float[4], 1)).code()).isEqualTo(Code.NOT_FOUND);
    assertThat(failure(Served.request(ModelReference.version("adder", 9), new float[4], 1)))
        .hasMessage("Model 'adder' has no version 9; it has [1]");
    assertThat(failure(Served.request(ModelReference.label("adder", "x"), new float[4], 1)))
        .hasMessageContaining("has no label 'x'");
  }

  @Test
  void aDeadlineThatHasPassedCostsNothing() {
    var request =
        Served.request(
            Served.request("adder", new float[4], 1), "", System.nanoTime() - 1, 0, "embedded");
    assertThat(failure(request).code()).isEqualTo(Code.DEADLINE_EXCEEDED);
  }

  @Test
  void afterCloseNothingIsTaken() {
    inference.close();
    assertThat(failure(Served.request("adder", new float[4], 1)).code())
        .isEqualTo(Code.UNAVAILABLE);
  }

  @Test
  void givesTheOutputsThatWereAskedForOfSeveralInputs() {
    Symbol a = Symbol.input("a", 3);
    Symbol b = Symbol.input("b", 3);
    Symbol sum = new Add().named("sum", a, b);
    Symbol twice = new Add().named("twice", sum, sum);
    try (Model model = Model.of(List.of(a, b), List.of(sum, twice), 1)) {
      model.save(models.resolve("sums/1"));
    }
    repository.load("sums");
    var inputs =
        Map.of(
            "b", Served.floats(new float[] {10, 20, 30}, 1, 3),
            "a", Served.floats(new float[] {1, 2, 3}, 1, 3));
    ModelReference sums = ModelReference.of("sums");
    InferenceResponse all = inference.infer(InferenceRequest.of(sums, inputs)).join();
    assertThat(all.outputs().keySet()).containsExactly("sum", "twice");
    assertThat(Served.floats(all.outputs().get("sum"))).containsExactly(11, 22, 33);
    InferenceResponse one =
        inference
            .infer(
                new InferenceRequest(
                    "", sums, inputs, List.of("twice"), Long.MAX_VALUE, 0, "embedded"))
            .join();
    assertThat(one.outputs().keySet()).containsExactly("twice");
    assertThat(Served.output(one)).containsExactly(22, 44, 66);
  }

  @Test
  void aClosedRepositoryAnswersNothing() {
    repository.close();
    assertThatThrownBy(() -> inference.infer(Served.request("adder", new float[4], 1)).join())
        .hasCauseInstanceOf(ServingException.class);
  }
}
