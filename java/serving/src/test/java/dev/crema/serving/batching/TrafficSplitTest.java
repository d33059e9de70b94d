package dev.crema.serving.batching;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.nn.Model;
import dev.crema.serving.Served;
import dev.crema.serving.ServingListener;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.ShadowComparison;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.ModelRepository;
import dev.crema.serving.repository.ModelSettings;
import dev.crema.serving.repository.TrafficSplit;
import dev.crema.serving.repository.VersionPolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrafficSplitTest {
  private static final ModelSettings TWO =
      ModelSettings.DEFAULT
          .withPolicy(VersionPolicy.all())
          .withLabels(Map.of("stable", 1L, "canary", 2L));

  @TempDir Path models;
  private final BlockingQueue<ShadowComparison> compared = new LinkedBlockingQueue<>();
  private final List<Long> answered = new CopyOnWriteArrayList<>();
  private final List<ServingException> refused = new CopyOnWriteArrayList<>();
  private ModelRepository repository;
  private BatchingInference inference;

  private void start(TrafficSplit traffic) {
    var listener =
        new ServingListener() {
          @Override
          public void compared(ShadowComparison comparison) {
            compared.add(comparison);
          }

          @Override
          public void answered(InferenceRequest request, InferenceResponse response, long nanos) {
            answered.add(response.version());
          }

          @Override
          public void refused(InferenceRequest request, ServingException why, long nanos) {
            refused.add(why);
          }
        };
    repository =
        ModelRepository.of(models)
            .pollInterval(Duration.ZERO)
            .settings(TWO.withTraffic(traffic))
            .open();
    inference = new BatchingInference(repository, listener);
  }

  @AfterEach
  void close() {
    inference.close();
    repository.close();
  }

  private long version(String id, ModelReference reference) {
    var request = Served.request(reference, new float[4], 1);
    return inference
        .infer(Served.request(request, id, InferenceRequest.NO_DEADLINE, 0, "embedded"))
        .join()
        .version();
  }

  private ShadowComparison comparison() throws InterruptedException {
    ShadowComparison comparison = compared.poll(60, TimeUnit.SECONDS);
    assertThat(comparison).as("a comparison within a minute").isNotNull();
    return comparison;
  }

  @Test
  void theCanaryGetsItsShareAndAnIdAlwaysTheSameVersion() {
    Served.adder(models, "a", 1);
    Served.adder(models, "a", 2);
    start(TrafficSplit.canary(20));
    int canary = 0;
    ModelReference open = ModelReference.of("a");
    for (int i = 0; i < 2000; i++) {
      long version = version("client-" + i, open);
      canary += version == 2 ? 1 : 0;
      assertThat(version("client-" + i, open)).isEqualTo(version);
    }
    // The ids are the same in every run, so this is no matter of chance.
    assertThat(canary).isBetween(340, 460);
    Set<Long> chance = new HashSet<>();
    for (int i = 0; i < 2000 && chance.size() < 2; i++) {
      chance.add(version("", open));
    }
    assertThat(chance).containsExactlyInAnyOrder(1L, 2L);
    for (int i = 0; i < 100; i++) {
      assertThat(version("client-" + i, ModelReference.label("a", "stable"))).isEqualTo(1);
      assertThat(version("client-" + i, ModelReference.version("a", 1))).isEqualTo(1);
    }
  }

  @Test
  void whileTheCanaryIsNotThereTheDefaultAnswers() {
    Served.adder(models, "a", 1);
    start(TrafficSplit.canary(100));
    assertThat(version("x", ModelReference.of("a"))).isEqualTo(1);
    Served.adder(models, "a", 2);
    repository.refreshAll();
    assertThat(version("x", ModelReference.of("a"))).isEqualTo(2);
    repository.configure("a", TWO);
    assertThat(version("x", ModelReference.of("a"))).isEqualTo(1);
  }

  @Test
  void aShadowComputesCopiesAndIsCompared() throws InterruptedException {
    Served.adder(models, "a", 1);
    Served.adder(models, "a", 2);
    start(TrafficSplit.shadow("canary", 100));
    var response = inference.infer(Served.request("a", new float[12], 3)).join();
    assertThat(Served.output(response)).containsOnly(1000);
    assertThat(comparison()).isEqualTo(new ShadowComparison("a", 1, 2, 3, 1000, 3, ""));
    assertThat(answered).as("copies are no requests").containsExactly(1L);
    assertThat(version("", ModelReference.version("a", 1))).isEqualTo(1);
    assertThat(compared).as("who names a version is not copied").isEmpty();
  }

  @Test
  void classesThatDifferAreCounted() throws InterruptedException {
    for (int version = 1; version <= 2; version++) {
      try (Model model = Model.sequential(2).dense(2).build(1)) {
        model.set("dense_1/kernel", version == 1 ? new float[] {1, 0, 0, 1} : new float[4]);
        model.set("dense_1/bias", version == 1 ? new float[2] : new float[] {1, 0});
        model.save(models.resolve("a").resolve("" + version));
      }
    }
    start(TrafficSplit.shadow("canary", 100));
    inference.infer(Served.request("a", new float[] {2, 0, 0, 3, 5, 0}, 3)).join();
    assertThat(comparison()).isEqualTo(new ShadowComparison("a", 1, 2, 3, 4, 2, ""));
  }

  @Test
  void aShadowThatCannotAnswerHarmsNobody() throws InterruptedException {
    Served.adder(models, "a", 1);
    try (Model model = Model.sequential(7).dense(1).build(1)) {
      model.save(models.resolve("a/2"));
    }
    start(TrafficSplit.shadow("canary", 100));
    assertThat(version("", ModelReference.of("a"))).isEqualTo(1);
    assertThat(comparison().error()).contains("expects FLOAT32[-1, 7]");
    assertThat(refused).isEmpty();
  }
}
