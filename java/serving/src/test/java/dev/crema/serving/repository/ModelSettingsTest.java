package dev.crema.serving.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.serving.execution.BatchSettings;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class ModelSettingsTest {
  private static final List<Long> KNOWN = List.of(3L, 10L, 2L);

  @Test
  void policiesChooseTheNewestFirst() {
    assertThat(VersionPolicy.latest(2).choose(KNOWN)).containsExactly(10L, 3L);
    assertThat(VersionPolicy.latest(9).choose(KNOWN)).containsExactly(10L, 3L, 2L);
    assertThat(VersionPolicy.all().choose(KNOWN)).containsExactly(10L, 3L, 2L);
    assertThat(VersionPolicy.specific(2L, 7L).choose(KNOWN)).containsExactly(2L);
    assertThat(VersionPolicy.latest(1).choose(List.of())).isEmpty();
  }

  @Test
  void whatMakesNoSenseIsRefused() {
    refused(() -> VersionPolicy.latest(0), "At least one version is served, got 0");
    refused(() -> new VersionPolicy.Specific(Set.of()), "Name at least one version");
    refused(() -> TrafficSplit.canary(101), "canaryPercent is from 0 to 100, got 101.0");
    refused(() -> TrafficSplit.canary(Double.NaN), "canaryPercent is from 0 to 100, got NaN");
    refused(() -> TrafficSplit.shadow("canary", -1), "shadowPercent is from 0 to 100, got -1.0");
    refused(() -> ModelSettings.DEFAULT.withLabels(Map.of("", 1L)), "A label has a name");
    BatchSettings batching = BatchSettings.DEFAULT;
    refused(() -> batching.withMaximumBatch(0), "maximumBatch is at least 1, got 0");
    refused(
        () -> batching.withMaximumDelay(Duration.ofMillis(-1)),
        "maximumDelay is not negative, got PT-0.001S");
    refused(() -> batching.withQueueCapacity(-1), "queueCapacity is not negative, got -1");
    refused(() -> batching.withThreads(-1), "threads is not negative, got -1");
    refused(
        () -> batching.withPreferredSizes(List.of(4, 65)),
        "preferredSizes are from 1 to maximumBatch 64, got 65");
  }

  private static void refused(ThrowingCallable action, String message) {
    assertThatThrownBy(action).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
  }

  @Test
  void preferredSizesAreSortedAndThoseAboveASmallerMaximumGo() {
    BatchSettings batching = BatchSettings.DEFAULT.withPreferredSizes(List.of(32, 8, 8));
    assertThat(batching.preferredSizes()).containsExactly(8, 32);
    assertThat(batching.withMaximumBatch(16).preferredSizes()).containsExactly(8);
  }
}
