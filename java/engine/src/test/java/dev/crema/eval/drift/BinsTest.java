package dev.crema.eval.drift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.io.Json;
import java.io.ByteArrayInputStream;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class BinsTest {
  @Test
  void valuesFallBelowBetweenAndAboveTheBounds() {
    Bins bins = new Bins(-1, 0, 0.1f, 2);
    assertThat(bins.count()).isEqualTo(6);
    float[] values = {
      Float.NEGATIVE_INFINITY, -1.01f, -1, 0, 0.05f, 0.1f, 0.2f, 2, 2.01f, Float.POSITIVE_INFINITY
    };
    int[] expected = {0, 0, 1, 1, 2, 2, 3, 3, 4, 4};
    for (int i = 0; i < values.length; i++) {
      assertThat(bins.of(values[i])).as("%s", values[i]).isEqualTo(expected[i]);
    }
    assertThat(bins.of(Float.NaN)).isEqualTo(bins.missing()).isEqualTo(5);
    assertThat(bins.above()).isEqualTo(4);
  }

  @Test
  void zeroOfBothSignsIsOneValue() {
    Bins bins = new Bins(0, 0, 1);
    assertThat(bins.of(-0.0f)).isEqualTo(bins.of(0.0f)).isEqualTo(1);
  }

  @Test
  void aConstantHasABinOfItsOwn() {
    Bins bins = Bins.quantiles(new float[] {7, 7, 7}, 7, 7, 10);
    assertThat(bins.of(7)).isEqualTo(1);
    assertThat(bins.of(6.9f)).isZero();
    assertThat(bins.of(7.1f)).isEqualTo(bins.above());
  }

  @Test
  void quantilesOfDifferentValuesHoldEqualParts() {
    float[] values = new float[1000];
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    Arrays.sort(values);
    Bins bins = Bins.quantiles(values, values[0], values[999], 10);
    int[] counts = new int[bins.count()];
    for (float value : values) {
      counts[bins.of(value)]++;
    }
    assertThat(counts).hasSize(13);
    for (int i = 1; i <= 10; i++) {
      assertThat(counts[i]).isBetween(99, 101);
    }
  }

  @Property
  void everyFiniteValueLiesWithinTheBoundsOfItsBin(@ForAll float[] sample, @ForAll float value) {
    float[] sorted = finite(sample);
    if (sorted.length == 0 || !Float.isFinite(value)) {
      return;
    }
    Bins bins = Bins.quantiles(sorted, sorted[0], sorted[sorted.length - 1], 10);
    int bin = bins.of(value);
    float[] upper = bins.upper();
    assertThat(bin).isBetween(0, bins.above());
    if (bin == 0) {
      assertThat(value).isLessThan(bins.least());
    } else {
      assertThat(value >= (bin == 1 ? bins.least() : upper[bin - 2])).isTrue();
      assertThat(bin == bins.above() || value <= upper[bin - 1]).isTrue();
    }
  }

  private static float[] finite(float[] sample) {
    float[] kept = new float[sample.length];
    int n = 0;
    for (float value : sample) {
      if (Float.isFinite(value)) {
        kept[n++] = value + 0.0f; // -0 sorts before 0 and is not less
      }
    }
    float[] sorted = Arrays.copyOf(kept, n);
    Arrays.sort(sorted);
    return sorted;
  }

  @Test
  void boundsThatAreNotAscendingAreRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> new Bins(0));
    assertThatIllegalArgumentException().isThrownBy(() -> new Bins(1, 0.5f));
    assertThatIllegalArgumentException().isThrownBy(() -> new Bins(0, 1, 1));
    assertThatIllegalArgumentException().isThrownBy(() -> new Bins(0, Float.NaN));
  }

  @Test
  void aReferenceSurvivesItsFileToTheBit() {
    Bins bins = new Bins(0.1f, 0.3f, 0.7f, 1.1f);
    Reference reference =
        new Reference(
            15,
            List.of(
                new Reference.Tensor(
                    "x",
                    4,
                    List.of(new Reference.Feature("age", 2, bins, new long[] {0, 4, 5, 6, 0, 0})),
                    null)),
            List.of(
                new Reference.Tensor(
                    "y",
                    2,
                    List.of(),
                    new Reference.Classes(List.of("no", "yes"), 0, new long[] {7, 8}))));
    byte[] file = Json.bytes(ReferenceFormat.write(reference));
    ObjectNode json = Json.read(new ByteArrayInputStream(file), "it", ObjectNode.class);
    Reference back = ReferenceFormat.read(json);
    assertThat(ReferenceFormat.write(back)).isEqualTo(ReferenceFormat.write(reference));
    Bins read = back.inputs().get(0).features().get(0).bins();
    for (float value : new float[] {0.1f, 0.3f, Math.nextUp(0.3f), 0.7f, 1.1f}) {
      assertThat(read.of(value)).as("%s", value).isEqualTo(bins.of(value));
    }
  }

  @Test
  void damagedReferencesAreRefusedWithAReason() {
    ObjectNode json =
        ReferenceFormat.write(
            new Reference(
                1,
                List.of(
                    new Reference.Tensor(
                        "x",
                        1,
                        List.of(
                            new Reference.Feature(
                                "age", 0, new Bins(0, 1), new long[] {0, 1, 0, 0})),
                        null)),
                List.of()));
    ObjectNode feature = (ObjectNode) json.at("/inputs/0/features/0");
    for (String member : List.of("name", "position", "least", "upper", "counts")) {
      ObjectNode damaged = json.deepCopy();
      ((ObjectNode) damaged.at("/inputs/0/features/0")).remove(member);
      assertThatExceptionOfType(CremaException.class)
          .as(member)
          .isThrownBy(() -> ReferenceFormat.read(damaged))
          .withMessageContaining("reference data is damaged");
    }
    feature.put("position", 1);
    assertThatExceptionOfType(CremaException.class)
        .isThrownBy(() -> ReferenceFormat.read(json))
        .withMessageContaining("'x' has 1 elements");
    json.put("version", 9);
    assertThatExceptionOfType(CremaException.class)
        .isThrownBy(() -> ReferenceFormat.read(json))
        .withMessageContaining("version 9");
  }
}
