package dev.crema.serving.monitoring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.eval.drift.Drift;
import dev.crema.eval.drift.Reference;
import dev.crema.eval.drift.ReferenceFormat;
import dev.crema.nn.Model;
import dev.crema.serving.repository.VersionStatus.State;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class DriftMonitorTest {
  private static final long SECOND = 1_000_000_000;

  private static Model model;
  private static List<Digits.Labelled> digits;

  private final AtomicLong clock = new AtomicLong(5);
  private final OneModel models = new OneModel("digits", 2, model, Digits.ALL.train().classNames());
  private final DriftMonitor drift =
      new DriftMonitor(() -> models, Duration.ofSeconds(600), clock::get);

  @BeforeAll
  static void train() {
    model = Digits.trained();
    digits = Digits.test(2000);
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private void watch() {
    drift.changed(Events.available("digits", 2));
    drift.refresh();
  }

  private void ask(float[] pixels) {
    clock.addAndGet(SECOND / 1000); // slowly enough that every value is looked at
    models.infer("", new float[][] {pixels}, "embedded", drift);
  }

  private static float[] inverted(float[] pixels) {
    float[] other = new float[pixels.length];
    for (int i = 0; i < other.length; i++) {
      other[i] = 1 - pixels[i];
    }
    return other;
  }

  @Test
  void figuresAreThoseOfAllValuesInTheWindow() {
    watch();
    digits.forEach(d -> ask(d.pixels()));
    DriftReport report = drift.reports().get(0);
    assertThat(report.model()).isEqualTo("digits");
    assertThat(report.version()).isEqualTo(2);
    assertThat(report.examples()).isEqualTo(2000);
    assertThat(report.features()).isEqualTo(100);
    Reference reference = ReferenceFormat.read(model.metadata().get(Reference.KEY));
    double greatest = 0;
    double divergence = 0;
    for (Reference.Feature feature : reference.inputs().get(0).features()) {
      long[] counts = new long[feature.bins().count()];
      digits.forEach(d -> counts[feature.bins().of(d.pixels()[feature.position()])]++);
      greatest = Math.max(greatest, Drift.stabilityIndex(feature.counts(), counts));
      divergence = Math.max(divergence, Drift.jensenShannon(feature.counts(), counts));
    }
    assertThat(report.greatestIndex()).isEqualTo(greatest);
    assertThat(report.greatestDivergence()).isEqualTo(divergence);
    assertThat(report.top())
        .hasSize(5)
        .isSortedAccordingTo((a, b) -> Double.compare(b.index(), a.index()));
  }

  @Test
  void unseenDigitsDoNotAlarm() {
    watch();
    digits.forEach(d -> ask(d.pixels()));
    DriftReport report = drift.reports().get(0);
    assertThat(report.greatestIndex()).isLessThan(0.1);
    assertThat(report.drifted()).isZero();
    assertThat(report.predictions().get(0).index()).isLessThan(0.1);
    assertThat(report.predictions().get(0).classes()).hasSize(10);
    assertThat(
            report.predictions().get(0).classes().stream()
                .mapToDouble(DriftReport.Share::live)
                .sum())
        .isCloseTo(1, within(1e-9));
  }

  @Test
  void invertedDigitsAlarm() {
    watch();
    digits.forEach(d -> ask(inverted(d.pixels())));
    DriftReport report = drift.reports().get(0);
    assertThat(report.greatestIndex()).isGreaterThan(1);
    assertThat(report.greatestDivergence()).isGreaterThan(0.5);
    assertThat(report.drifted()).isGreaterThan(50);
  }

  @Test
  void missingAndOutOfRangeValuesAreCounted() {
    watch();
    float[] broken = digits.get(0).pixels().clone();
    broken[7] = Float.NaN;
    broken[8] = 99;
    broken[9] = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < 10; i++) {
      ask(broken);
    }
    assertThat(drift.totals()).containsExactly(new DriftMonitor.Totals("digits", 2, 10, 10, 20));
  }

  @Test
  void tooFewExamplesSayNothing() {
    watch();
    digits.subList(0, VersionDrift.FEWEST - 1).forEach(d -> ask(d.pixels()));
    assertThat(drift.reports().get(0).greatestIndex()).isNaN();
    ask(digits.get(0).pixels());
    assertThat(drift.reports().get(0).greatestIndex()).isFinite();
  }

  @Test
  void theWindowSlides() {
    watch();
    digits.subList(0, 600).forEach(d -> ask(inverted(d.pixels())));
    assertThat(drift.reports().get(0).greatestIndex()).isGreaterThan(1);
    clock.addAndGet(301 * SECOND);
    digits.subList(0, 600).forEach(d -> ask(d.pixels()));
    assertThat(drift.reports().get(0).examples()).isEqualTo(1200); // both halves
    clock.addAndGet(301 * SECOND);
    assertThat(drift.reports().get(0).examples()).isEqualTo(600); // the inverted ones are gone
    assertThat(drift.reports().get(0).greatestIndex()).isLessThan(0.2);
    clock.addAndGet(3600 * SECOND);
    assertThat(drift.reports().get(0).examples()).isZero();
  }

  @Test
  void onlyAMillionValuesASecondAreLookedAt() {
    watch();
    float[][] many = new float[2000][];
    for (int i = 0; i < many.length; i++) {
      many[i] = digits.get(i).pixels();
    }
    for (int i = 0; i < 100; i++) { // twenty million values in a second
      clock.addAndGet(SECOND / 100);
      models.infer("", many, "embedded", drift);
    }
    long examples = drift.totals().get(0).examples();
    assertThat(examples).isBetween(10_000L, 10_000L + 2_500L); // and a burst of a quarter second
  }

  @Test
  void aModelWithoutReferenceIsNotWatched() {
    try (Model plain = model.copy()) {
      plain.metadata().remove(Reference.KEY);
      OneModel other = new OneModel("plain", 1, plain, List.of());
      DriftMonitor monitor = new DriftMonitor(() -> other, Duration.ofMinutes(1));
      monitor.changed(Events.available("plain", 1));
      monitor.refresh();
      other.infer("", new float[][] {digits.get(0).pixels()}, "embedded", monitor);
      assertThat(monitor.reports()).isEmpty();
    }
  }

  @Test
  void aVersionThatIsReplacedIsComparedWithItsNewReference() {
    watch();
    digits.forEach(d -> ask(d.pixels()));
    watch(); // loaded anew, with the same reference: what was seen stays
    assertThat(drift.reports().get(0).examples()).isEqualTo(2000);
    try (Model other = model.copy()) {
      ((ObjectNode) other.metadata().at("/" + Reference.KEY + "/inputs/0/features/0"))
          .put("name", "renamed");
      models.replace(other);
      watch();
      assertThat(drift.reports().get(0).examples()).isZero();
      digits.forEach(d -> ask(inverted(d.pixels())));
      assertThat(drift.reports().get(0).greatestIndex()).isGreaterThan(1);
      other.metadata().remove(Reference.KEY);
      watch();
      assertThat(drift.reports()).as("no reference any more").isEmpty();
    }
  }

  @Test
  void metersShowTheTopFeaturesAndGoWithTheirVersion() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    Feedback feedback =
        new Feedback(() -> models, 1000, Duration.ofHours(1), Duration.ofHours(1), clock::get);
    QualityMetrics metrics = new QualityMetrics(drift, feedback);
    metrics.bindTo(registry);
    watch();
    digits.forEach(d -> ask(inverted(d.pixels())));
    metrics.refresh();
    assertThat(registry.get("crema.feature.psi").gauges()).hasSize(5);
    assertThat(registry.get("crema.drift.psi.max").gauge().value())
        .isEqualTo(drift.reports().get(0).greatestIndex());
    assertThat(registry.get("crema.prediction.class.ratio").gauges()).hasSize(10);
    assertThat(registry.get("crema.drift.examples").functionCounter().count()).isEqualTo(2000);
    clock.addAndGet(1000 * SECOND);
    digits.forEach(d -> ask(d.pixels()));
    metrics.refresh();
    assertThat(registry.get("crema.feature.psi").gauges()).hasSize(5); // perhaps others
    assertThat(registry.get("crema.drift.psi.max").gauge().value()).isLessThan(0.1);
    drift.changed(Events.status("digits", 2, State.END, ""));
    metrics.refresh();
    assertThat(registry.find("crema.feature.psi").gauges()).isEmpty();
    assertThat(registry.find("crema.drift.examples").functionCounters()).isEmpty();
  }
}
