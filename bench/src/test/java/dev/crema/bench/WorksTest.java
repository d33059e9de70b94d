package dev.crema.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class WorksTest {
  static Stream<String> names() {
    // The big ones take seconds under assertions and add nothing to what smaller ones show.
    List<String> big = List.of("matmul.2048", "residual.train.8", "lstm.train.32");
    return Works.list().stream()
        .filter(work -> !(work.problem() instanceof Problem.Start))
        .map(Work::name)
        .filter(n -> !big.contains(n));
  }

  @ParameterizedTest
  @MethodSource("names")
  void everyWorkGivesNumbersAndAgreesWithItselfOnTwoThreads(String name) {
    Problem problem = Works.named(name).problem();
    CremaEngine crema = new CremaEngine(false);
    try (Task one = crema.prepare(problem, 1);
        Task two = crema.prepare(problem, 2)) {
      float[] result = one.check();
      Results.requireFinite(result);
      Results.requireEqual(result, two.check());
      one.run();
    }
  }

  @Test
  void namesAreUnique() {
    List<String> names = Works.list().stream().map(Work::name).toList();
    assertThat(new HashSet<>(names)).hasSameSizeAs(names);
  }

  @Test
  void aFilterIsANameOrItsBeginningUpToADot() {
    assertThat(Works.matching(List.of("matmul.64"), false))
        .extracting(Work::name)
        .containsExactly("matmul.64");
    assertThat(Works.matching(List.of("seed-mlp", "adam.10m"), false))
        .extracting(Work::name)
        .containsExactly("seed-mlp.train.32", "seed-mlp.predict.1", "adam.10m");
    assertThat(Works.matching(List.of("lene"), false)).isEmpty();
  }

  @Test
  void kernelsAreMeasuredOnlyWhenAskedFor() {
    assertThat(Works.matching(List.of(), false))
        .extracting(Work::name)
        .contains("lenet.train.64")
        .noneMatch(n -> n.startsWith("kernel."));
    assertThat(Works.matching(List.of(), true)).hasSameSizeAs(Works.list());
    assertThat(Works.matching(List.of("kernel.exp"), false)).hasSize(1);
  }

  @Test
  void anUnknownNameIsRefused() {
    assertThatThrownBy(() -> Works.named("warp")).hasMessageContaining("warp");
    assertThatThrownBy(() -> Engines.named("abacus")).hasMessageContaining("abacus");
  }

  @Test
  void productsOfANetworkAreItsLayersFlops() {
    // 2·(100·64 + 64·64 + 64·10) + the first layer's two thirds less: by hand.
    Limit limit = Works.named("seed-mlp.train.32").limit();
    assertThat(limit.flops()).isEqualTo(2.0 * 32 * (2 * 6400 + 3 * 4096 + 3 * 640));
  }
}
