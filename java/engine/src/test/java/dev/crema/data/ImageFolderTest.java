package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.crema.CremaException;
import dev.crema.memory.Shape;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageFolderTest {
  @TempDir Path dir;

  private static byte[] encode(BufferedImage image, String format) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    assertThat(ImageIO.write(image, format, out)).isTrue();
    return out.toByteArray();
  }

  private static BufferedImage colour(int w, int h, int rgb) {
    BufferedImage image = new BufferedImage(w, h, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < h; y++) {
      for (int x = 0; x < w; x++) {
        image.setRGB(x, y, rgb);
      }
    }
    return image;
  }

  private static BufferedImage grey(int type, int... values) {
    BufferedImage image = new BufferedImage(values.length, 1, type);
    for (int x = 0; x < values.length; x++) {
      image.getRaster().setSample(x, 0, 0, values[x]);
    }
    return image;
  }

  private Path write(String name, byte[] bytes) throws IOException {
    Path file = dir.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.write(file, bytes);
  }

  private void twoClasses() throws IOException {
    write("dog/b.png", encode(colour(2, 2, 0xFF0000), "png"));
    write("cat/a.PNG", encode(colour(2, 2, 0x0000FF), "png"));
    write("dog/notes.txt", new byte[3]);
    write(".hidden/x.txt", new byte[3]);
  }

  @Test
  void foldersAreClassesInOrderOfTheirNames() throws IOException {
    twoClasses();
    LoadedData data = Datasets.open(dir, DataOptions.defaults());
    assertThat(data.train().classNames()).containsExactly("cat", "dog");
    assertThat(data.train().inputs().get(0).shape()).isEqualTo(Shape.of(2, 2, 3));
    List<List<Float>> rows = Rows.all(data.train());
    assertThat(rows.get(0)).startsWith(0f, 0f, 1f).endsWith(0f);
    assertThat(rows.get(1)).startsWith(1f, 0f, 0f).endsWith(1f);
  }

  @Test
  void imagesAreBroughtToTheShapeThatIsAskedFor() throws IOException {
    twoClasses();
    write("dog/wide.jpg", encode(colour(40, 10, 0x808080), "jpg"));
    DataOptions options = DataOptions.builder().imageShape(Shape.of(3, 5, 1)).build();
    List<List<Float>> rows = Rows.all(Datasets.open(dir, options).train());
    assertThat(rows).hasSize(3).allMatch(row -> row.size() == 16);
    assertThat(rows.get(0).get(0)).isCloseTo(0.114f, within(1e-5f));
    assertThat(rows.get(2).get(7)).isCloseTo(128 / 255f, within(0.01f));
  }

  @Test
  void greyValuesAreKeptAsTheyStand() throws IOException {
    Path eight = write("g.png", encode(grey(BufferedImage.TYPE_BYTE_GRAY, 0, 100, 255), "png"));
    assertThat(ImageFile.shape(eight)).isEqualTo(Shape.of(1, 3, 1));
    assertThat(ImageFile.read(eight, Shape.of(1, 3, 1))).containsExactly(0, 100 / 255f, 1);
    assertThat(ImageFile.read(eight, Shape.of(1, 3, 3))).startsWith(0, 0, 0, 100 / 255f);
    Path sixteen =
        write("h.png", encode(grey(BufferedImage.TYPE_USHORT_GRAY, 0, 10_000, 65_535), "png"));
    assertThat(ImageFile.read(sixteen, Shape.of(1, 3, 1))).containsExactly(0, 10_000 / 65_535f, 1);
  }

  @Test
  void partsMayStandApart() throws IOException {
    for (String part : List.of("train", "val", "test")) {
      write(part + "/a/1.png", encode(colour(2, 2, 0), "png"));
      write(part + "/b/1.png", encode(colour(2, 2, 0xFFFFFF), "png"));
    }
    LoadedData data = Datasets.open(dir, DataOptions.defaults());
    assertThat(data.train().classNames()).containsExactly("a", "b");
    assertThat(data.validation().size()).isEqualTo(2);
    assertThat(Rows.all(data.test())).isEqualTo(Rows.all(data.train()));
  }

  @Test
  void aTrainedModelReadsLabelledAndBareFolders() throws IOException {
    twoClasses();
    Preprocessing known = Datasets.open(dir, DataOptions.defaults()).preprocessing();
    assertThat(Rows.last(Datasets.open(dir, known, DataOptions.defaults())))
        .containsExactly(0f, 1f);
    Dataset bare = Datasets.open(dir.resolve("dog"), known, DataOptions.defaults());
    assertThat(bare.target()).isNull();
    assertThat(Rows.all(bare)).hasSize(1);
    write("cow/a.png", encode(colour(2, 2, 0), "png"));
    assertThatThrownBy(() -> Datasets.open(dir, known, DataOptions.defaults()))
        .hasMessageContaining("cow is not one of the model's classes [cat, dog]");
  }

  @Test
  void damagedImagesAreNamedOrCounted() throws IOException {
    twoClasses();
    write("dog/z.png", new byte[] {1, 2, 3});
    LoadedData strict = Datasets.open(dir, DataOptions.defaults());
    assertThatThrownBy(() -> Rows.all(strict.train()))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("z.png is no image");
    LoadedData lenient = Datasets.open(dir, DataOptions.builder().skipBadRows(true).build());
    assertThat(Rows.all(lenient.train())).hasSize(2);
    assertThat(lenient.train().badRows()).isEqualTo(1);
  }

  @Test
  void aJpegThatIsCutOffIsDamaged() throws IOException {
    twoClasses();
    BufferedImage noise = colour(64, 64, 0);
    for (int i = 0; i < 64 * 64; i++) {
      noise.setRGB(i % 64, i / 64, (i * 7919) ^ (i * 104729 << 8));
    }
    byte[] whole = encode(noise, "jpg");
    Path file = write("cat/z.jpg", whole);
    assertThat(Rows.all(Datasets.open(dir, DataOptions.defaults()).train())).hasSize(3);
    write("cat/z.jpg", Arrays.copyOf(whole, whole.length / 2));
    LoadedData strict = Datasets.open(dir, DataOptions.defaults());
    assertThatThrownBy(() -> Rows.all(strict.train()))
        .isInstanceOf(CremaException.class)
        .hasMessage(file + " is cut off: the image ends before its last line");
    LoadedData lenient = Datasets.open(dir, DataOptions.builder().skipBadRows(true).build());
    assertThat(Rows.all(lenient.train())).hasSize(2);
  }

  @Test
  void aHeaderCanNotMakeItAllocate() throws IOException {
    byte[] png = encode(colour(2, 2, 0), "png");
    byte[] huge = png.clone();
    Arrays.fill(huge, 16, 24, (byte) 0x7F);
    assertThatThrownBy(() -> ImageFile.read(write("h.png", huge), Shape.of(2, 2, 3)))
        .isInstanceOf(CremaException.class);
  }

  @Property(tries = 200, shrinking = ShrinkingMode.OFF)
  void damagedFilesEndInAnExceptionOfOurs(
      @ForAll long seed, @ForAll boolean jpeg, @ForAll @IntRange(min = 0, max = 400) int cut)
      throws IOException {
    byte[] bytes = encode(colour(8, 8, 0x336699), jpeg ? "jpg" : "png");
    Mix random = new Mix(seed);
    for (int i = 0; i < 4; i++) {
      bytes[random.below(bytes.length)] = (byte) random.next();
    }
    Path file = Files.createTempFile("fuzz", ".img");
    try {
      Files.write(file, Arrays.copyOf(bytes, Math.max(0, bytes.length - Math.max(0, cut - 200))));
      assertThat(ImageFile.read(file, Shape.of(4, 4, 3))).hasSize(48);
    } catch (CremaException e) {
      assertThat(e).hasMessageContaining("fuzz");
    } finally {
      Files.delete(file);
    }
  }

  @Test
  void oneFolderIsNoClassification() throws IOException {
    write("only/a.png", encode(colour(2, 2, 0), "png"));
    assertThatThrownBy(() -> Datasets.open(dir, DataOptions.defaults()))
        .hasMessageContaining("has 1 folders with images");
    assertThatThrownBy(() -> DataOptions.builder().imageShape(Shape.of(2, 2, 4)).build())
        .hasMessageContaining("1 channel or 3");
  }
}
