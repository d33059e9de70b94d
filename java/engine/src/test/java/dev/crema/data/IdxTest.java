package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdxTest {
  static byte[] idx(int type, int size, int... dims) {
    int bytes = size;
    for (int d : dims) {
      bytes *= d;
    }
    ByteBuffer file = ByteBuffer.allocate(4 + 4 * dims.length + bytes);
    file.putInt(type << 8 | dims.length);
    for (int d : dims) {
      file.putInt(d);
    }
    for (int i = 0; i < bytes; i++) {
      file.put((byte) (i * 7 + 3));
    }
    return file.array();
  }

  static byte[] gzip(byte[] bytes) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return out.toByteArray();
  }

  private static Idx read(byte[] file) {
    try (InputFiles.Input in =
        InputFiles.open(new ByteArrayInputStream(file), file.length, "digits")) {
      return Idx.read(in);
    } catch (IOException e) {
      throw InputFiles.unreadable("digits", e);
    }
  }

  @Test
  void readsEveryTypeBigEndian() {
    ByteBuffer file = ByteBuffer.wrap(idx(0x0E, 8, 2)).putDouble(8, -1.5).putDouble(16, 2.25);
    assertThat(read(file.array()).floats()).containsExactly(-1.5f, 2.25f);
    file = ByteBuffer.wrap(idx(0x0D, 4, 1, 1)).putFloat(12, 0.1f);
    assertThat(read(file.array()).floats()).containsExactly(0.1f);
    file = ByteBuffer.wrap(idx(0x0C, 4, 1)).putInt(8, -70_000);
    assertThat(read(file.array()).floats()).containsExactly(-70_000f);
    assertThat(read(file.array()).labels()).containsExactly(-70_000);
    file = ByteBuffer.wrap(idx(0x0B, 2, 1)).putShort(8, (short) -300);
    assertThat(read(file.array()).labels()).containsExactly(-300);
    assertThat(read(idx(0x09, 1, 40)).labels()[20]).isEqualTo((byte) 143);
    assertThat(read(idx(0x08, 1, 40)).labels()[20]).isEqualTo(143);
  }

  @Test
  void readsOneToFourAxesAndNoElements() {
    assertThat(read(idx(8, 1, 5)).dims()).containsExactly(5);
    assertThat(read(idx(8, 1, 2, 3, 4, 5)).dims()).containsExactly(2, 3, 4, 5);
    assertThat(read(idx(8, 1, 0, 28, 28)).elements()).isZero();
    assertThatThrownBy(() -> read(idx(8, 1, 1, 1, 1, 1, 1))).hasMessageContaining("5 axes");
    assertThatThrownBy(() -> read(new byte[] {0, 0, 8, 0})).hasMessageContaining("0 axes");
  }

  @Test
  void recognisesGzip(@TempDir Path dir) throws IOException {
    byte[] file = idx(8, 1, 3, 4, 5);
    Files.write(dir.resolve("a.gz"), gzip(file));
    Files.write(dir.resolve("b"), file);
    assertThat(Idx.read(dir.resolve("a.gz")).floats())
        .containsExactly(Idx.read(dir.resolve("b")).floats());
  }

  @Test
  void saysWhatIsWrongWithAFile(@TempDir Path dir) {
    byte[] file = idx(8, 1, 3, 4);
    assertThatThrownBy(() -> read(Arrays.copyOf(file, file.length - 1)))
        .hasMessage(
            "digits: extents [3, 4] of UBYTE make 12 bytes, but 11 follow the header. The file is"
                + " damaged or cut off.");
    assertThatThrownBy(() -> read(Arrays.copyOf(file, 6))).hasMessageContaining("too early");
    assertThatThrownBy(() -> read("PNG?".getBytes(java.nio.charset.StandardCharsets.US_ASCII)))
        .hasMessageContaining("not an IDX file");
    assertThatThrownBy(() -> read(gzip(Arrays.copyOf(file, file.length + 1))))
        .hasMessageContaining("goes on");
    assertThatThrownBy(() -> read(gzip(Arrays.copyOf(file, file.length - 1))))
        .hasMessageContaining("ends after 11 of 12 bytes");
    assertThatThrownBy(() -> Idx.read(dir.resolve("none")))
        .hasMessageContaining("there is no such file");
  }

  @Test
  void aHeaderCanNotMakeItAllocate() {
    byte[] huge = idx(8, 1, 0, 0, 0);
    ByteBuffer header = ByteBuffer.wrap(huge);
    for (int[] dims :
        new int[][] {
          {2_000_000_000, 1, 1},
          {Integer.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE},
          {-1, 1, 1},
          {1 << 16, 1 << 16, 1},
          {1 << 30, 1 << 30, 1 << 4}
        }) {
      header.putInt(4, dims[0]).putInt(8, dims[1]).putInt(12, dims[2]);
      assertThatThrownBy(() -> read(huge)).isInstanceOf(CremaException.class);
      assertThatThrownBy(() -> read(gzip(huge))).isInstanceOf(CremaException.class);
    }
  }

  @Property(tries = 2000, shrinking = ShrinkingMode.OFF)
  void damagedFilesEndInAnExceptionOfOurs(
      @ForAll long seed,
      @ForAll @IntRange(min = 1, max = 6) int changes,
      @ForAll boolean packed,
      @ForAll @IntRange(min = 0, max = 80) int cut) {
    byte[] file = idx(8, 1, 3, 4, 4);
    Mix random = new Mix(seed);
    file = packed ? gzip(file) : file;
    for (int i = 0; i < changes; i++) {
      file[random.below(Math.min(file.length, 24))] = (byte) random.next();
    }
    byte[] damaged = Arrays.copyOf(file, Math.max(0, file.length - Math.max(0, cut - 40)));
    try {
      Idx read = read(damaged);
      assertThat(read.floats()).hasSize(read.elements());
    } catch (CremaException e) {
      assertThat(e).hasMessageContaining("digits");
    }
  }

  @Test
  void aListOfLabelsHasOneAxisOfIntegers() {
    assertThatThrownBy(() -> read(idx(8, 1, 2, 2)).labels()).hasMessageContaining("no list");
    assertThatThrownBy(() -> read(idx(0x0D, 4, 2)).labels()).hasMessageContaining("no list");
  }
}
