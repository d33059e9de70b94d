package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataFilesTest {
  @TempDir Path dir;

  private static final DataOptions DEFAULTS = DataOptions.defaults();

  static void npz(Path file, boolean stored, Map<String, byte[]> arrays) throws IOException {
    try (OutputStream out = Files.newOutputStream(file);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      for (Map.Entry<String, byte[]> array : arrays.entrySet()) {
        ZipEntry entry = new ZipEntry(array.getKey() + ".npy");
        if (stored) {
          CRC32 crc = new CRC32();
          crc.update(array.getValue());
          entry.setMethod(ZipEntry.STORED);
          entry.setSize(array.getValue().length);
          entry.setCrc(crc.getValue());
        }
        zip.putNextEntry(entry);
        zip.write(array.getValue());
        zip.closeEntry();
      }
    }
  }

  @Test
  void opensNpzStoredOrDeflated() throws IOException {
    byte[] x = NpyTest.npy("|u1", "(2, 1, 3)", new byte[] {0, 51, 102, 0, 0, -1});
    byte[] y =
        NpyTest.npy("<i8", "(2,)", new byte[] {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
    for (boolean stored : new boolean[] {true, false}) {
      Path file = dir.resolve("digits" + stored + ".npz");
      npz(file, stored, Map.of("x_train", x, "y_train", y, "x_test", x, "y_test", y));
      LoadedData data = Datasets.open(file, DEFAULTS);
      assertThat(data.train().inputs().get(0).shape()).isEqualTo(Shape.of(1, 3, 1));
      assertThat(Rows.all(data.train()))
          .containsExactly(List.of(0f, 0.2f, 0.4f, 1f), List.of(0f, 0f, 1f, 0f));
      assertThat(Rows.all(data.test())).isEqualTo(Rows.all(data.train()));
      assertThat(data.train().classNames()).containsExactly("0", "1");
      Dataset again = Datasets.open(file, data.preprocessing(), DEFAULTS);
      assertThat(Rows.all(again)).isEqualTo(Rows.all(data.test()));
    }
  }

  @Test
  void opensNpyFilesWithTheirTargetsBesideThem() {
    Npy.write(dir.resolve("x.npy"), new float[] {1, 2, 3, 4}, Shape.of(2, 2));
    Npy.write(dir.resolve("y.npy"), new double[] {0.5, 1.5}, Shape.of(2));
    for (Path place : List.of(dir, dir.resolve("x.npy"))) {
      LoadedData data = Datasets.open(place, DEFAULTS);
      assertThat(data.train().target())
          .isEqualTo(new Dataset.Slot("y", ElementType.FLOAT32, Shape.of(1)));
      assertThat(Rows.all(data.train()))
          .containsExactly(List.of(1f, 2f, 0.5f), List.of(3f, 4f, 1.5f));
    }
    Npy.write(dir.resolve("alone.npy"), new float[] {1, 2}, Shape.of(1, 2));
    Path alone = dir.resolve("alone.npy");
    assertThatThrownBy(() -> Datasets.open(alone, DEFAULTS))
        .hasMessageContaining("such as x and y");
    ArrayPreprocessing two = new ArrayPreprocessing(Shape.of(2), 1, List.of());
    assertThat(Datasets.open(alone, two, DEFAULTS).target()).isNull();
    ArrayPreprocessing three = new ArrayPreprocessing(Shape.of(3), 1, List.of());
    assertThatThrownBy(() -> Datasets.open(alone, three, DEFAULTS))
        .hasMessageContaining("shape [2], the model takes [3]");
    Npy.write(dir.resolve("y.npy"), new double[] {0.5}, Shape.of(1));
    assertThatThrownBy(() -> Datasets.open(dir, DEFAULTS)).hasMessageContaining("2 examples");
  }

  @Test
  void opensDigitsByFolderPrefixAndFile() throws IOException {
    byte[] labels = IdxTest.idx(8, 1, 4);
    for (int i = 0; i < 4; i++) {
      labels[8 + i] = (byte) (i % 2);
    }
    Files.write(dir.resolve("a-train-images-idx3-ubyte"), IdxTest.idx(8, 1, 4, 2, 2));
    Files.write(dir.resolve("a-train-labels-idx1-ubyte"), labels);
    DataOptions split = DataOptions.builder().validationSplit(0.5).build();
    for (String place : List.of("", "a-", "a-train-images-idx3-ubyte")) {
      LoadedData data = Datasets.open(dir.resolve(place), split);
      assertThat(data.train().size()).as(place).isEqualTo(2);
      assertThat(data.validation().size()).isEqualTo(2);
      assertThat(((ArrayPreprocessing) data.preprocessing()).scale()).isEqualTo(1.0 / 255);
    }
    ArrayPreprocessing known =
        new ArrayPreprocessing(Shape.of(2, 2, 1), 1.0 / 255, List.of("p", "q", "r"));
    Dataset again = Datasets.open(dir, known, DEFAULTS);
    assertThat(again.classNames()).containsExactly("p", "q", "r");
    ArrayPreprocessing one = new ArrayPreprocessing(Shape.of(2, 2, 1), 1.0 / 255, List.of("p"));
    assertThatThrownBy(() -> Datasets.open(dir, one, DEFAULTS)).hasMessageContaining("the class 1");
    Files.delete(dir.resolve("a-train-labels-idx1-ubyte"));
    Path images = dir.resolve("a-train-images-idx3-ubyte");
    assertThat(Datasets.open(images, known, DEFAULTS).target()).isNull();
    assertThatThrownBy(() -> Datasets.open(images, DEFAULTS)).hasMessageContaining("no labels");
  }

  @Test
  void opensTablesOfWhateverExtension() throws IOException {
    Path file = Files.writeString(dir.resolve("iris.data"), "1.5,u\n2.5,v\n");
    LoadedData data = Datasets.open(file, DEFAULTS);
    assertThat(data.train().size()).isEqualTo(2);
    ArrayPreprocessing two = new ArrayPreprocessing(Shape.of(2), 1, List.of());
    assertThatThrownBy(() -> Datasets.open(file, two, DEFAULTS)).hasMessageContaining("is a table");
    Npy.write(dir.resolve("x.npy"), new float[2], Shape.of(1, 2));
    assertThatThrownBy(() -> Datasets.open(dir.resolve("x.npy"), data.preprocessing(), DEFAULTS))
        .hasMessageContaining("is no table");
  }

  @Test
  void saysWhatIsSupported() throws IOException {
    assertThatThrownBy(() -> Datasets.open(dir.resolve("none"), DEFAULTS))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("There is no file or folder")
        .hasMessageContaining("Supported are");
    assertThatThrownBy(() -> Datasets.open(dir, DEFAULTS)).hasMessageContaining("Supported are");
    Path binary = Files.write(dir.resolve("a.bin"), new byte[] {1, 2, 3, 4, 5});
    assertThatThrownBy(() -> Datasets.open(binary, DEFAULTS)).hasMessageContaining("Supported are");
  }

  @Property(tries = 200, shrinking = ShrinkingMode.OFF)
  void damagedZipsEndInAnExceptionOfOurs(@ForAll long seed) throws IOException {
    Path file = Files.createTempFile("fuzz", ".npz");
    try {
      npz(file, seed % 2 == 0, Map.of("x", NpyTest.npy("<f4", "(2, 2)", new byte[16])));
      byte[] bytes = Files.readAllBytes(file);
      Mix random = new Mix(seed);
      for (int i = 0; i < 3; i++) {
        bytes[random.below(bytes.length)] = (byte) random.next();
      }
      Files.write(file, bytes);
      ArrayPreprocessing known = new ArrayPreprocessing(Shape.of(2), 1, List.of());
      assertThat(Rows.all(Datasets.open(file, known, DEFAULTS))).hasSize(2);
    } catch (CremaException e) {
      assertThat(e).hasMessageContaining("fuzz");
    } finally {
      Files.delete(file);
    }
  }
}
