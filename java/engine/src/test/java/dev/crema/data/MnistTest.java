package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.crema.memory.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MnistTest {
  private static void write(Path dir, String prefix, String part, int n, boolean gzip)
      throws IOException {
    byte[] images = IdxTest.idx(8, 1, n, 3, 2);
    byte[] labels = IdxTest.idx(8, 1, n);
    for (int i = 0; i < n; i++) {
      labels[8 + i] = (byte) (i % 4);
    }
    String end = gzip ? ".gz" : "";
    Files.write(
        dir.resolve(prefix + part + "-images-idx3-ubyte" + end),
        gzip ? IdxTest.gzip(images) : images);
    Files.write(
        dir.resolve(prefix + part + "-labels-idx1-ubyte" + end),
        gzip ? IdxTest.gzip(labels) : labels);
  }

  @Test
  void shipsTenThousandDigits() {
    Mnist digits = Mnist.sample();
    assertThat(digits.train().size()).isEqualTo(8000);
    assertThat(digits.test().size()).isEqualTo(2000);
    assertThat(digits.train().inputs().get(0).shape()).isEqualTo(Shape.of(28, 28, 1));
    assertThat(digits.train().classNames()).hasSize(10).startsWith("0").endsWith("9");
    assertThat(ClassWeights.counts(digits.train()))
        .containsExactly(790, 916, 800, 817, 779, 685, 794, 879, 757, 783);
    List<Float> first = Rows.all(digits.train().take(1)).get(0).subList(0, 784);
    assertThat(first).allMatch(p -> p >= 0 && p <= 1).contains(0f);
    assertThat(first).anyMatch(p -> p > 0.9f);
  }

  @Test
  void shipsThemAveragedDownToAHundredInputs() {
    Mnist small = Mnist.sample10x10();
    assertThat(small.train().inputs().get(0).shape()).isEqualTo(Shape.of(100));
    assertThat(small.train().labels()).isEqualTo(Mnist.sample().train().labels());
    double full = mean(Rows.all(Mnist.sample().test().take(50)), 784);
    assertThat(mean(Rows.all(small.test().take(50)), 100)).isCloseTo(full, within(1e-6));
  }

  private static double mean(List<List<Float>> rows, int width) {
    return rows.stream()
        .flatMap(row -> row.subList(0, width).stream())
        .mapToDouble(p -> p)
        .average()
        .orElseThrow();
  }

  @Test
  void findsTheFilesOfAFolder(@TempDir Path dir) throws IOException {
    write(dir, "", "train", 8, true);
    write(dir, "", "t10k", 4, false);
    assertThat(Mnist.isIn(dir)).isTrue();
    Mnist digits = Mnist.load(dir);
    assertThat(digits.train().size()).isEqualTo(8);
    assertThat(digits.test().size()).isEqualTo(4);
    assertThat(digits.train().inputs().get(0).shape()).isEqualTo(Shape.of(3, 2, 1));
    assertThat(Rows.all(digits.train()).get(1).get(0)).isEqualTo((6 * 7 + 3) / 255f);
    assertThat(digits.train().labels()).containsExactly(0, 1, 2, 3, 0, 1, 2, 3);
  }

  @Test
  void findsTheFilesOfAPrefix(@TempDir Path dir) throws IOException {
    write(dir, "a-", "train", 8, true);
    write(dir, "b-", "train", 5, true);
    write(dir, "b-", "test", 3, true);
    assertThat(Mnist.load(dir.resolve("a-")).test()).isNull();
    assertThat(Mnist.load(dir.resolve("b-")).train().size()).isEqualTo(5);
    assertThat(Mnist.load(dir.resolve("b-")).test().size()).isEqualTo(3);
    assertThatThrownBy(() -> Mnist.load(dir)).hasMessageContaining("Several files");
  }

  @Test
  void aFileAndItsCompressedTwinAreTheSame(@TempDir Path dir) throws IOException {
    write(dir, "", "train", 8, true);
    write(dir, "", "train", 8, false);
    assertThat(Mnist.load(dir).train().size()).isEqualTo(8);
  }

  @Test
  void saysWhichFileIsMissingOrDoesNotFit(@TempDir Path dir) throws IOException {
    assertThatThrownBy(() -> Mnist.load(dir)).hasMessageContaining("train-images-idx3-ubyte");
    Files.write(dir.resolve("train-images-idx3-ubyte"), IdxTest.idx(8, 1, 2, 3, 3));
    assertThatThrownBy(() -> Mnist.load(dir)).hasMessageContaining("train-labels-idx1-ubyte");
    Files.write(dir.resolve("train-labels-idx1-ubyte"), IdxTest.idx(8, 1, 3));
    assertThatThrownBy(() -> Mnist.load(dir))
        .hasMessageContaining("2 images")
        .hasMessageContaining("3 labels");
  }
}
