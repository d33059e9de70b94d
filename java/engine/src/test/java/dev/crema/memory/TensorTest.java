package dev.crema.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import java.nio.ByteBuffer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TensorTest {
  @Test
  void valuesGoInAndComeOut() {
    try (Tensor floats = Tensor.of(Shape.of(2, 2), 1f, -2f, 3.5f, Float.NaN);
        Tensor ints = Tensor.of(Shape.of(3), 1, -2, Integer.MAX_VALUE);
        Tensor longs = Tensor.of(Shape.of(1), Long.MIN_VALUE);
        Tensor unsigned = Tensor.of(ElementType.UINT8, Shape.of(2), (byte) 255, (byte) 1)) {
      assertThat(floats.toFloats()).containsExactly(1f, -2f, 3.5f, Float.NaN);
      assertThat(ints.toInts()).containsExactly(1, -2, Integer.MAX_VALUE);
      assertThat(longs.toLongs()).containsExactly(Long.MIN_VALUE);
      assertThatThrownBy(longs::toInts).isInstanceOf(ArithmeticException.class);
      assertThat(unsigned.toInts()).containsExactly(255, 1);
      assertThat(unsigned.toFloats()).containsExactly(255f, 1f);
    }
  }

  @Test
  void tensorsLargerThanOnePieceAreCopiedWhole() {
    float[] values = new float[300_001];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    try (Tensor tensor = Tensor.of(Shape.of(values.length), values);
        Tensor wide = tensor.to(ElementType.INT64)) {
      assertThat(tensor.toFloats()).containsExactly(values);
      assertThat(wide.toLongs()[300_000]).isEqualTo(300_000);
    }
  }

  @ParameterizedTest
  @EnumSource(ElementType.class)
  void smallIntegersSurviveEveryType(ElementType type) {
    int most = type == ElementType.BOOL ? 2 : 128;
    int[] values = IntStream.range(0, most).toArray();
    try (Tensor ints = Tensor.of(Shape.of(most), values);
        Tensor converted = ints.to(type);
        Tensor back = converted.to(ElementType.INT32)) {
      assertThat(converted.byteSize()).isEqualTo((long) most * type.byteSize());
      assertThat(back.toInts()).containsExactly(values);
    }
  }

  @Test
  void conversionRoundsSaturatesAndMapsNan() {
    float[] values = {1.00390625f, -300, 300, 2.9f, Float.NaN, 1e30f};
    try (Tensor tensor = Tensor.of(Shape.of(6), values);
        Tensor brain = tensor.to(ElementType.BFLOAT16);
        Tensor signed = tensor.to(ElementType.INT8);
        Tensor unsigned = tensor.to(ElementType.UINT8);
        Tensor half = tensor.to(ElementType.FLOAT16)) {
      assertThat(brain.toFloats()[0]).as("a tie goes to the even neighbour").isEqualTo(1f);
      assertThat(signed.toInts()).containsExactly(1, -128, 127, 2, 0, 127);
      assertThat(unsigned.toInts()).containsExactly(1, 0, 255, 2, 0, 255);
      assertThat(half.toFloats()[5]).isEqualTo(Float.POSITIVE_INFINITY);
    }
    try (Tensor exact = Tensor.of(Shape.of(1), (1L << 53) + 1);
        Tensor same = exact.to(ElementType.INT64)) {
      assertThat(same.toLongs()).containsExactly((1L << 53) + 1);
    }
  }

  @Test
  void reshapesAndSlicesAreViewsThatKeepTheMemory() {
    Tensor tensor = Tensor.of(Shape.of(3, 2), 0f, 1f, 2f, 3f, 4f, 5f);
    try (Tensor rows = tensor.slice(1, 3);
        Tensor flat = rows.reshape(Shape.of(4))) {
      assertThat(rows.shape()).isEqualTo(Shape.of(2, 2));
      flat.floats().put(0, 20f);
      assertThat(tensor.toFloats()).containsExactly(0f, 1f, 20f, 3f, 4f, 5f);
      tensor.close();
      assertThat(flat.toFloats()).containsExactly(20f, 3f, 4f, 5f);
      assertThatThrownBy(tensor::toFloats)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("Tensor FLOAT32[3, 2] is closed");
    }
  }

  @Test
  void memoryOfOthersCanBeATensor() {
    ByteBuffer direct = ByteBuffer.allocateDirect(20);
    direct.position(4);
    try (Buffer buffer = Buffer.wrap(direct);
        Tensor tensor = Tensor.over(buffer, ElementType.FLOAT32, Shape.of(2, 2))) {
      tensor.floats().put(3, 1f);
      assertThat(direct.order(java.nio.ByteOrder.nativeOrder()).getFloat(16)).isEqualTo(1f);
    }
    direct.position(1).limit(5);
    try (Buffer crooked = Buffer.wrap(direct)) {
      assertThatThrownBy(() -> Tensor.over(crooked, ElementType.FLOAT32, Shape.of(1)))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("multiple of 4 bytes");
      assertThatThrownBy(() -> Tensor.over(crooked, ElementType.INT8, Shape.of(5)))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("which has 5 bytes");
    }
  }

  @Test
  void wrongSizesAreRefusedWithBothNumbers() {
    assertThatThrownBy(() -> Tensor.of(Shape.of(2, 2), 1f, 2f))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("4 elements")
        .hasMessageContaining("2 values");
    try (Tensor tensor = Tensor.create(ElementType.INT8, Shape.of(4))) {
      assertThatThrownBy(() -> tensor.reshape(Shape.of(5))).isInstanceOf(CremaException.class);
      assertThatThrownBy(() -> tensor.slice(2, 5)).isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(tensor::floats)
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("to(FLOAT32)");
    }
  }

  @Test
  void showsTypeShapeAndFirstElements() {
    Tensor tensor = Tensor.of(Shape.of(10), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    try (Tensor scalar = Tensor.of(Shape.of(), 1.5f)) {
      assertThat(tensor).hasToString("int32[10] {0, 1, 2, 3, 4, 5, 6, 7, …}");
      assertThat(scalar).hasToString("float32[] {1.5}");
      tensor.close();
      assertThat(tensor).hasToString("int32[10] (closed)");
    }
  }
}
