package dev.crema.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReportTest {
  private static final Machine MACHINE = new Machine("2026-01-02", "A chip", 2, "Linux", "17");

  private final Work work = Works.named("matmul.64");
  private final Report report = new Report(List.of(work), 1);

  private void add(String engine, Double... nanos) {
    report.add(new Measurement(work.name(), engine, 1, List.of(nanos), 0, 50, "limit", engine));
  }

  @Test
  void aPeersRatioIsTheMedianOfTheRoundsNotTheRatioOfMedians() {
    add("crema", 100.0, 100.0, 130.0); // the machine is slow in the second round
    add("peer", 300.0, 300.0, 300.0);
    add("crema", 1000.0);
    add("peer", 2000.0);
    add("crema", 100.0);
    add("peer", 400.0);
    List<String> row = report.table().get(1);
    assertThat(row).containsExactly("matmul.64", "100 ns", "50 %", "0.0", "300 ns (3.00×)");
  }

  @Test
  void aFailureStandsInTheTableWithItsReason() {
    add("crema", 100.0);
    report.failed(work, new NamedEngine("peer"), "no such library");
    assertThat(report.isComplete()).isFalse();
    assertThat(report.table().get(1)).endsWith("failed");
    String text = report.markdown(MACHINE, "./crema bench");
    assertThat(text).contains("matmul.64 in peer: no such library").contains("A chip");
  }

  @Test
  void theDocumentHoldsEveryIteration() {
    add("crema", 100.0, 110.0);
    add("crema", 90.0, 95.0);
    JsonNode crema = report.json(MACHINE, "x").at("/works/0/engines/crema");
    assertThat(crema.at("/rounds_ns/1/0").asDouble()).isEqualTo(90);
    assertThat(crema.at("/median_ns").asDouble()).isEqualTo(97.5);
    assertThat(crema.at("/spread").asDouble()).isEqualTo(105 / 92.5);
  }

  @Test
  void timesAreReadable() {
    assertThat(Report.time(87.4)).isEqualTo("87 ns");
    assertThat(Report.time(12_345)).isEqualTo("12.3 µs");
    assertThat(Report.time(12_345_678)).isEqualTo("12.3 ms");
  }
}
