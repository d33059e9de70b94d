package dev.crema.op;

import dev.crema.memory.ElementType;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Products and convolutions of 16-bit operands on a card (here one whose libraries are plain loops)
 * against float64. Operands are numbers that the type holds, sums are float32: what is left is one
 * rounding where a result is stored, of half a unit in the last place, 2^-8 of it in bfloat16 and
 * 2^-11 in float16, and a second where a bias or an activation has a launch of its own.
 */
class HalfProductsTest {
  @ParameterizedTest
  @EnumSource(names = {"BFLOAT16", "FLOAT16"})
  void denseLayersWithBiasAndRelu(ElementType type) {
    for (long[] s : new long[][] {{1, 1, 1}, {3, 7, 5}, {4, 8, 16}, {9, 33, 2}}) {
      Array64 x = Array64.gaussian(1, s[0], s[1]);
      Array64 w = Array64.gaussian(2, s[1], s[2]);
      Array64 b = Array64.gaussian(3, s[2]);
      HalfCheck.of(type)
          .run(
              in -> in[0].then(new Linear(FusedActivation.RELU), in[1], in[2]),
              in -> dense(in).map(v -> Math.max(v, 0)),
              1,
              List.of(),
              x,
              w,
              b);
    }
  }

  private static Array64 dense(Array64[] in) {
    return Arrays64.zip(Arrays64.matmul(in[0], in[1], false, false), in[2], Double::sum);
  }

  @ParameterizedTest
  @EnumSource(names = {"BFLOAT16", "FLOAT16"})
  void wideResultsAreNotRounded(ElementType type) {
    HalfCheck.of(type)
        .run(
            in -> in[0].then(new Linear().asWide(), in[1], in[2]),
            HalfProductsTest::dense,
            0,
            List.of(2),
            Array64.gaussian(1, 5, 9),
            Array64.gaussian(2, 9, 6),
            Array64.gaussian(3, 6));
  }

  @ParameterizedTest
  @EnumSource(names = {"BFLOAT16", "FLOAT16"})
  void productsOfAnyOrientationThatBroadcast(ElementType type) {
    for (int k = 0; k < 4; k++) {
      boolean ta = k % 2 == 1;
      boolean tb = k >= 2;
      HalfCheck.of(type)
          .run(
              in -> in[0].then(new MatMul(ta, tb), in[1]),
              in -> Arrays64.matmul(in[0], in[1], ta, tb),
              1,
              List.of(),
              ta ? Array64.gaussian(1, 2, 3, 5, 4) : Array64.gaussian(1, 2, 3, 4, 5),
              tb ? Array64.gaussian(2, 3, 6, 5) : Array64.gaussian(2, 3, 5, 6));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BFLOAT16", "FLOAT16"})
  void convolutionsWithGroupsAndUnevenPadding(ElementType type) {
    Window2d uneven = new Window2d(2, 1, 1, 2, 1, 0, 0, 2);
    HalfCheck.of(type)
        .run(
            in -> in[0].then(new Conv2d(uneven, 2), in[1], in[2]),
            in -> Convolution64.forward(in, uneven, 2),
            2,
            List.of(),
            Array64.gaussian(1, 2, 5, 6, 4),
            Array64.gaussian(2, 3, 2, 2, 6),
            Array64.gaussian(3, 6));
  }

  @ParameterizedTest
  @EnumSource(names = {"BFLOAT16", "FLOAT16"})
  void convolutionsWithReluAndTransposedOnes(ElementType type) {
    Window2d same = Window2d.valid(1, 1).padded(1, 1, 1, 1);
    HalfCheck.of(type)
        .run(
            in -> in[0].then(new Conv2d(same, 1, FusedActivation.RELU), in[1], in[2]),
            in -> Convolution64.forward(in, same, 1).map(v -> Math.max(v, 0)),
            2,
            List.of(),
            Array64.gaussian(1, 1, 4, 5, 3),
            Array64.gaussian(2, 3, 3, 3, 7),
            Array64.gaussian(3, 7));
    Window2d stride = Window2d.valid(2, 2);
    HalfCheck.of(type)
        .run(
            in -> in[0].then(new ConvTranspose2d(stride), in[1]),
            in -> Convolution64.transposed(in, stride, 1, 7, 9),
            1,
            List.of(),
            Array64.gaussian(1, 1, 3, 4, 3),
            Array64.gaussian(2, 3, 3, 2, 3));
  }
}
