package dev.crema.op;

import dev.crema.memory.ElementType;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Recurrent layers over 16-bit sequences against float64. A step rounds what it gives to the next,
 * h of at most 1, and backward what flows into the gates: so a result is off by a few roundings of
 * its largest value, and sums over steps by those of each.
 */
class HalfRecurrentTest {
  private static final int N = 3;
  private static final int FEATURES = 5;

  private static HalfCheck check(ElementType type) {
    return new HalfCheck(type, 0x1p-12, 4);
  }

  @ParameterizedTest
  @EnumSource(names = {"BFLOAT16", "FLOAT16"})
  void everyOutputOfAnLstmAndItsGradients(ElementType type) {
    for (int i = 0; i < 6; i++) {
      int which = i % 3;
      int steps = i < 3 ? 4 : 1;
      check(type)
          .run(
              in ->
                  in[0]
                      .graph()
                      .apply(new Lstm(), in[0], in[1], in[2], in[3], in[4], in[5])
                      .output(which),
              in -> LstmTest.reference(in[0], in[1], in[2], in[3], in[4], in[5])[which],
              3,
              List.of(3, 5),
              Array64.gaussian(1, N, steps, FEATURES),
              Array64.uniform(2, -1, 1, FEATURES, 4 * 7),
              Array64.uniform(3, -1, 1, 7, 4 * 7),
              Array64.gaussian(4, 4 * 7),
              Array64.gaussian(5, N, 7),
              Array64.gaussian(6, N, 7));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BFLOAT16", "FLOAT16"})
  void everyOutputOfAGruAndItsGradients(ElementType type) {
    for (int i = 0; i < 4; i++) {
      int which = i % 2;
      int steps = i < 2 ? 4 : 1;
      check(type)
          .run(
              in ->
                  in[0]
                      .graph()
                      .apply(new Gru(), in[0], in[1], in[2], in[3], in[4], in[5])
                      .output(which),
              in -> GruTest.reference(in[0], in[1], in[2], in[3], in[4], in[5])[which],
              3,
              List.of(3, 4),
              Array64.gaussian(1, N, steps, FEATURES),
              Array64.uniform(2, -1, 1, FEATURES, 3 * 8),
              Array64.uniform(3, -1, 1, 8, 3 * 8),
              Array64.gaussian(4, 3 * 8),
              Array64.gaussian(5, 3 * 8),
              Array64.gaussian(6, N, 8));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BFLOAT16", "FLOAT16"})
  void fromZeroWithoutBiasOverSomeStepsAndMany(ElementType type) {
    for (int steps : new int[] {2, 9}) {
      check(type)
          .run(
              in ->
                  in[0].graph().apply(new Lstm(), in[0], in[1], in[2], null, null, null).output(0),
              in -> LstmTest.reference(in[0], in[1], in[2], null, null, null)[0],
              3,
              List.of(),
              Array64.gaussian(1, 1, steps, 2),
              Array64.uniform(2, -1, 1, 2, 4 * 3),
              Array64.uniform(3, -1, 1, 3, 4 * 3));
      check(type)
          .run(
              in -> in[0].graph().apply(new Gru(), in[0], in[1], in[2], null, null, null).output(1),
              in -> GruTest.reference(in[0], in[1], in[2], null, null, null)[1],
              3,
              List.of(),
              Array64.gaussian(1, 1, steps, 2),
              Array64.uniform(2, -1, 1, 2, 3 * 3),
              Array64.uniform(3, -1, 1, 3, 3 * 3));
    }
  }
}
