package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.CremaException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Graphs of many ops compute what plain float64 loops compute, and so do their gradients. */
class RandomProgramTest {
  /**
   * Backward sums are longer than forward ones and the differences themselves are good to 1e-8 of
   * values up to 30.
   */
  private static final double GRADIENT_TOLERANCE = 2e-4;

  @ParameterizedTest
  @CsvSource({"0, 150, false", "10000, 60, true"})
  void matchesFloat64OnEveryInstructionSet(long firstSeed, int programs, boolean smooth) {
    int checked = 0;
    for (long seed = firstSeed; seed < firstSeed + programs; seed++) {
      RandomProgram program = new RandomProgram(seed, 4 + (int) (seed % 12), smooth);
      try {
        check(program, smooth);
        checked++;
      } catch (AssertionError | CremaException e) {
        throw new AssertionError("Program of seed " + seed + ": " + e.getMessage(), e);
      }
    }
    assertThat(checked).isEqualTo(programs);
  }

  private static void check(RandomProgram program, boolean gradient) {
    List<RandomProgram.Value> values = program.compute(program.inputs.toArray(new Array64[0]));
    double tolerance = 0;
    for (RandomProgram.Value value : values) {
      tolerance = Math.max(tolerance, value.error() / Math.max(1e-6, value.greatest()));
    }
    OpCheck check =
        OpCheck.outputs(program::build)
            .forward(
                in ->
                    program.compute(in).stream()
                        .map(RandomProgram.Value::array)
                        .toArray(Array64[]::new))
            .tolerance(tolerance, GRADIENT_TOLERANCE);
    for (int i = 0; i < program.inputs.size(); i++) {
      if (program.isBatched(i)) {
        check.batched(program.inputs.get(i));
      } else {
        check.input(program.inputs.get(i));
      }
    }
    (gradient ? check : check.withoutGradient()).run();
  }
}
