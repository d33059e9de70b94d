package dev.crema.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReportTest {
  private static final Machine MACHINE = new Machine("2026-01-02", "A chip", 2, "Linux", "17");

  private final Work work = Works.named("matmul.64");
  private final Report report = new Report(List.of(work), List.of(1));

  private void add(String engine, Double... nanos) {
    report.add(
        new Measurement(
            work.name(),
            engine,
            1,
            List.of(nanos),
            0,
            Collections.nCopies(nanos.length, 50.0),
            "limit",
            true,
            engine));
  }

  @Test
  void aPeersRatioIsTheMedianOfTheTurnsRatiosNotTheRatioOfMedians() {
    add("crema", 100.0, 100.0, 130.0);
    add("peer", 300.0, 300.0, 300.0);
    add("crema", 1000.0); // the machine is slow in the second round
    add("peer", 2000.0);
    add("crema", 100.0);
    add("peer", 400.0);
    List<String> row = report.table().get(1);
    assertThat(row)
        .startsWith("matmul.64", "100 ns", "50 %", "0.0", "300 ns (3.00×, 2.31 to 3.00)");
  }

  @Test
  void aFailureStandsInTheTableWithItsReason() {
    add("crema", 100.0);
    report.failed(work, new NamedEngine("peer"), "no such library");
    assertThat(report.isComplete()).isFalse();
    assertThat(report.table().get(1)).contains("failed");
    String text = Documents.markdown(report, MACHINE, "./crema bench");
    assertThat(text).contains("matmul.64 in peer: no such library").contains("A chip");
  }

  @Test
  void theDocumentHoldsEveryIteration() {
    add("crema", 100.0, 110.0);
    add("crema", 90.0, 95.0);
    JsonNode crema = Documents.json(report, MACHINE, "x").at("/works/0/engines/crema");
    assertThat(crema.at("/rounds_ns/1/0").asDouble()).isEqualTo(90);
    assertThat(crema.at("/median_ns").asDouble()).isEqualTo(97.5);
    assertThat(crema.at("/spread").asDouble()).isEqualTo(100 / 95.0);
  }

  @Test
  void whereTheLimitItselfGrowsTooLittleThatIsWhatLimitsTwoThreads() {
    Report made = new Report(List.of(Works.named("matmul.512")), List.of(1, 2));
    add(made, "matmul.512", "crema", 1, 100);
    add(made, "matmul.512", "crema", 2, 70);
    assertThat(made.notReached())
        .singleElement()
        .asString()
        .isEqualTo(
            "matmul.512: two threads gave this machine's limit itself 1.50 times the rate of one");
  }

  private static void add(Report to, String work, String engine, int threads, double nanos) {
    List<Double> limit = List.of(threads == 1 ? 60.0 : 40.0);
    to.add(
        new Measurement(work, engine, threads, List.of(nanos), 0, limit, "a limit", true, engine));
  }

  private static Report onTwoThreads(double one, double two, double peer) {
    Report made = new Report(List.of(Works.named("matmul.64")), List.of(1, 2));
    add(made, "matmul.64", "crema", 1, one);
    add(made, "matmul.64", "crema", 2, two);
    add(made, "matmul.64", "peer", 1, peer);
    return made;
  }

  @Test
  void twoThreadsAreHeldAgainstOneAndEachBarSaysWhetherItIsReached() {
    Report made = onTwoThreads(100, 50, 120);
    assertThat(made.table().get(0))
        .containsExactly(
            "work", "Crema", "of limit", "heap B", "2 threads / 1 thread", "peer", "bars");
    assertThat(made.table().get(1))
        .containsExactly(
            "matmul.64",
            "100 ns",
            "60 %",
            "0.0",
            "2.00× (limit 1.50×)",
            "120 ns (1.20×, 1.20 to 1.20)",
            "ahead of the best peer, or 97 % of the limit: 1.20× ✓; 1.8× on 2 threads: 2.00× ✓");
    assertThat(made.notReached()).isEmpty();
  }

  @Test
  void aRowThatMissesABarStaysWithWhatLimitsIt() {
    Report made = onTwoThreads(100, 90, 80);
    assertThat(made.table().get(1)).last().asString().contains("0.80× ✗", "1.11× ✗");
    assertThat(made.notReached())
        .singleElement()
        .asString()
        .startsWith("matmul.64: ")
        .contains("handing 16 KB to a second thread");
    String text = Documents.markdown(made, MACHINE, "./crema bench --report");
    assertThat(text).contains("1 and 2 threads", "- not reached: matmul.64: ");
    JsonNode row = Documents.json(made, MACHINE, "x").at("/works/0");
    assertThat(row.at("/two_threads_over_one").asDouble()).isEqualTo(100 / 90.0);
    assertThat(row.at("/limit_of_two_threads_over_one").asDouble()).isEqualTo(1.5);
    assertThat(row.at("/bars/1/reached").asBoolean(true)).isFalse();
    assertThat(row.get("limitedBy").asText()).contains("second thread");
    assertThat(row.at("/more_threads/2/crema/median_ns").asDouble()).isEqualTo(90);
  }

  @Test
  void aBarWithoutItsPeerHasNoVerdict() {
    Report made = new Report(List.of(Works.named("seed-mlp.predict.1")), List.of(1));
    add(made, "seed-mlp.predict.1", "crema", 1, 400);
    assertThat(made.table().get(1))
        .last()
        .asString()
        .contains("at most 1.00 µs: 400 ns ✓", "4× the best peer: not measured", "0 B ✓");
    assertThat(made.notReached()).isEmpty();
  }

  @Test
  void openBlasUnderCremaIsAPeerInProductsOnly() {
    List<Work> works = List.of(Works.named("seed-mlp.predict.1"), Works.named("matmul.512"));
    Report made = new Report(works, List.of(1));
    for (Work work : works) {
      add(made, work.name(), "crema", 1, 400);
      add(made, work.name(), "crema-openblas", 1, 200);
      add(made, work.name(), "peer", 1, 2000);
    }
    assertThat(made.table().get(1)).last().asString().contains("4× the best peer: 5.00× ✓");
    assertThat(made.table().get(2)).last().asString().contains("0.50× ✗");
  }

  @Test
  void everyBarAndReasonNamesAWorkThatThereIs() {
    Bars.works().forEach(Works::named);
    assertThat(Bars.works()).contains("seed-mlp.train.32", "load.first-prediction");
  }

  @Test
  void timesAreReadable() {
    assertThat(Report.time(87.4)).isEqualTo("87 ns");
    assertThat(Report.time(12_345)).isEqualTo("12.3 µs");
    assertThat(Report.time(12_345_678)).isEqualTo("12.3 ms");
  }
}
