package dev.crema.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BenchTest {
  private static final Fork.Length SHORT = new Fork.Length(20, 2, 20, 2);

  private final List<String> said = new ArrayList<>();

  private Report run(Engine engine) {
    List<Work> works = List.of(Works.named("seed-mlp.predict.1"));
    return new Bench(works, List.of(engine), List.of(1), 2, SHORT, said::add).run(soFar -> {});
  }

  @Test
  void aWorkIsMeasuredInItsOwnJvmsAndAllocatesNothing() {
    Report report = run(new CremaEngine(false));
    assertThat(report.problems()).isEmpty();
    assertThat(report.table().get(1).get(3)).isEqualTo("0.0");
    assertThat(said).hasSize(2).first().asString().contains("round 1/2", "seed-mlp.predict.1");
  }

  @Test
  void oneAndTwoThreadsTakeTurnsAndEachTurnHasItsLimit() {
    List<Work> works = List.of(Works.named("matmul.64"));
    List<Engine> engines = List.of(new CremaEngine(false), new NamedEngine("abacus"));
    Report report = new Bench(works, engines, List.of(1, 2), 1, SHORT, said::add).run(soFar -> {});
    assertThat(report.problems()).singleElement().asString().contains("abacus");
    for (int threads : report.threads()) {
      Measurement measured = report.of("matmul.64", threads).last(Engines.CREMA);
      assertThat(measured.nanos()).hasSize(SHORT.turns()).allMatch(nanos -> nanos > 0);
      assertThat(measured.limitNanos()).hasSize(SHORT.turns()).allMatch(nanos -> nanos > 0);
    }
    assertThat(report.table().get(1).get(4)).contains("× (limit ");
  }

  @Test
  void whatWasMeasuredIsKeptAfterEachWork() {
    List<Work> works = List.of(Works.named("seed-mlp.predict.1"), Works.named("matmul.64"));
    List<String> kept = new ArrayList<>();
    new Bench(works, List.of(new CremaEngine(false)), List.of(1), 1, SHORT, said::add)
        .run(soFar -> kept.add(Documents.markdown(soFar, Machine.here(), "bench")));
    assertThat(kept).hasSize(2);
    assertThat(kept.get(0)).containsPattern("seed-mlp.predict.1 \\| \\d").contains("not measured");
    assertThat(kept.get(1)).containsPattern("matmul.64 \\| \\d");
  }

  @Test
  void aJvmThatFailsSaysWhy() {
    Report report = run(new NamedEngine("abacus"));
    assertThat(report.isComplete()).isFalse();
    assertThat(report.problems()).singleElement().asString().contains("abacus");
  }

  @Test
  void cardsAreNotHeldAgainstTheProcessorsLimits() {
    BenchCommand.requireProcessor(null);
    BenchCommand.requireProcessor("cpu");
    assertThatThrownBy(() -> BenchCommand.requireProcessor("cuda:0"))
        .isInstanceOf(CremaException.class)
        .hasMessageContainingAll("cuda:0", "crema bench gpu", "CREMA_DEVICE=cpu");
  }

  @Test
  void theCauseBehindTheOthersIsShown() {
    List<String> trace =
        List.of(
            "Exception in thread \"main\" org.openjdk.jmh.runner.RunnerException: caught",
            "\tat org.openjdk.jmh.runner.Runner.run(Runner.java:1)",
            "Caused by: org.openjdk.jmh.runner.BenchmarkException: Benchmark error during the run",
            "\tat org.openjdk.jmh.runner.Handler.run(Handler.java:2)",
            "\tSuppressed: dev.crema.CremaException: Out of native memory: Arena asks for 9 GiB",
            "\t\tat dev.crema.memory.Buffer.allocate(Buffer.java:3)");
    assertThat(Child.failure(trace, 1))
        .isEqualTo("dev.crema.CremaException: Out of native memory: Arena asks for 9 GiB");
    assertThat(Child.failure(trace.subList(0, 2), 1))
        .isEqualTo("org.openjdk.jmh.runner.RunnerException: caught");
    assertThat(Child.failure(List.of("", "Killed"), 137)).isEqualTo("exit code 137: Killed");
  }
}
