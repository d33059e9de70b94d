package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.memory.Shape;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NpyTest {
  static byte[] npy(int version, String dictionary, byte[] data) {
    byte[] text = (dictionary + "\n").getBytes(StandardCharsets.UTF_8);
    ByteBuffer file = ByteBuffer.allocate(12 + text.length + data.length);
    file.order(ByteOrder.LITTLE_ENDIAN);
    file.put((byte) 0x93).put("NUMPY".getBytes(StandardCharsets.US_ASCII));
    file.put((byte) version).put((byte) 0);
    if (version == 1) {
      file.putShort((short) text.length);
    } else {
      file.putInt(text.length);
    }
    file.put(text).put(data);
    return Arrays.copyOf(file.array(), file.position());
  }

  static byte[] npy(String type, String shape, byte[] data) {
    return npy(
        1, "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }", data);
  }

  private static NpyArray read(byte[] file) {
    try (InputFiles.Input in =
        InputFiles.open(new ByteArrayInputStream(file), file.length, "array")) {
      return Npy.read(in);
    } catch (IOException e) {
      throw InputFiles.unreadable("array", e);
    }
  }

  @Test
  void readsEveryTypeInBothByteOrders() {
    for (ByteOrder order : new ByteOrder[] {ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN}) {
      String mark = order == ByteOrder.LITTLE_ENDIAN ? "<" : ">";
      ByteBuffer b = ByteBuffer.allocate(8).order(order);
      assertThat(doubles(mark + "f4", b.putFloat(0, -1.5f), 4)).containsExactly(-1.5);
      assertThat(doubles(mark + "f8", b.putDouble(0, 0.1), 8)).containsExactly(0.1);
      assertThat(doubles(mark + "f2", b.putShort(0, (short) 0xC100), 2)).containsExactly(-2.5);
      assertThat(doubles(mark + "i2", b.putShort(0, (short) -3), 2)).containsExactly(-3);
      assertThat(doubles(mark + "u2", b.putShort(0, (short) -3), 2)).containsExactly(65533);
      assertThat(doubles(mark + "i4", b.putInt(0, -3), 4)).containsExactly(-3);
      assertThat(doubles(mark + "u4", b.putInt(0, -3), 4)).containsExactly(4294967293.0);
      assertThat(doubles(mark + "i8", b.putLong(0, -3), 8)).containsExactly(-3);
      assertThat(doubles(mark + "u8", b.putLong(0, -1), 8)).containsExactly(0x1p64);
    }
    ByteBuffer one = ByteBuffer.allocate(1).put(0, (byte) -2);
    assertThat(doubles("|i1", one, 1)).containsExactly(-2);
    assertThat(doubles("|u1", one, 1)).containsExactly(254);
    assertThat(doubles("|b1", one, 1)).containsExactly(1);
    assertThat(doubles("?", one, 1)).containsExactly(1);
  }

  private static double[] doubles(String type, ByteBuffer value, int bytes) {
    NpyArray array = read(npy(type, "(1,)", Arrays.copyOf(value.array(), bytes)));
    assertThat(array.floats()).containsExactly((float) array.doubles()[0]);
    return array.doubles();
  }

  @Test
  void halfPrecisionHasItsSpecialValues() {
    assertThat(NpyArray.half((short) 0x3C00)).isEqualTo(1f);
    assertThat(NpyArray.half((short) 0x7BFF)).isEqualTo(65504f);
    assertThat(NpyArray.half((short) 0x0001)).isEqualTo(0x1p-24f);
    assertThat(NpyArray.half((short) 0x8400)).isEqualTo(-0x1p-14f);
    assertThat(NpyArray.half((short) 0xFC00)).isEqualTo(Float.NEGATIVE_INFINITY);
    assertThat(NpyArray.half((short) 0x7E00)).isNaN();
    assertThat(1 / NpyArray.half((short) 0x8000)).isEqualTo(Float.NEGATIVE_INFINITY);
  }

  @Test
  void readsFortranOrderAsRowMajor() {
    byte[] columns = {1, 4, 2, 5, 3, 6};
    String dictionary = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }";
    NpyArray array = read(npy(1, dictionary, columns));
    assertThat(array.shape()).isEqualTo(Shape.of(2, 3));
    assertThat(array.ints()).containsExactly(1, 2, 3, 4, 5, 6);
    byte[] cube = new byte[24];
    for (int i = 0; i < 24; i++) {
      int a = i / 12;
      int b = i / 4 % 3;
      int c = i % 4;
      cube[a + 2 * b + 6 * c] = (byte) i;
    }
    String three = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 4), }";
    assertThat(read(npy(2, three, cube)).ints())
        .containsExactly(java.util.stream.IntStream.range(0, 24).toArray());
  }

  @Test
  void readsAllVersionsAndSpellings() {
    for (int version = 1; version <= 3; version++) {
      String dictionary = "{\"shape\":(2L,),'fortran_order':False , \"descr\":'|u1'}  ";
      assertThat(read(npy(version, dictionary, new byte[] {3, 4})).ints()).containsExactly(3, 4);
    }
    assertThat(read(npy("<f4", "()", new byte[4])).shape()).isEqualTo(Shape.of());
    assertThat(read(npy("<f4", "(0, 3)", new byte[0])).floats()).isEmpty();
  }

  @Test
  void writesWhatItReads(@TempDir Path dir) throws IOException {
    Path file = dir.resolve("x.npy");
    Npy.write(file, new float[] {1, 2, 3, 4, 5, 6}, Shape.of(2, 3));
    assertThat(Npy.read(file).floats()).containsExactly(1, 2, 3, 4, 5, 6);
    assertThat(Npy.read(file).shape()).isEqualTo(Shape.of(2, 3));
    assertThat(Files.readAllBytes(file).length).isEqualTo(128 + 24);
    Npy.write(file, new double[] {0.1}, Shape.of(1));
    assertThat(Npy.read(file).doubles()).containsExactly(0.1);
    Npy.write(file, new int[] {-7}, Shape.of());
    assertThat(Npy.read(file).ints()).containsExactly(-7);
    try (Stream<Path> files = Files.list(dir)) {
      assertThat(files).containsExactly(file);
    }
    assertThatThrownBy(() -> Npy.write(file, new float[2], Shape.of(3)))
        .hasMessage("2 elements do not make shape [3]");
    assertThatThrownBy(() -> Npy.write(dir.resolve("no/x.npy"), new float[1], Shape.of(1)))
        .isInstanceOf(CremaException.class);
  }

  @Test
  void saysWhatIsWrongWithAFile() {
    assertThatThrownBy(() -> read(npy("<f4", "(2,)", new byte[7])))
        .hasMessageContaining("shape [2] of F4 makes 8 bytes, but 7 follow");
    assertThatThrownBy(() -> read(npy("<f4", "(1,)", new byte[5])))
        .hasMessageContaining("5 follow");
    assertThatThrownBy(() -> read("hello world".getBytes(StandardCharsets.US_ASCII)))
        .hasMessageContaining("not a NPY file");
    assertThatThrownBy(() -> read(npy("|O", "(1,)", new byte[8])))
        .hasMessageContaining("elements of type |O");
    assertThatThrownBy(() -> read(npy("<c8", "(1,)", new byte[8]))).hasMessageContaining("astype");
    String structured = "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}";
    assertThatThrownBy(() -> read(npy(1, structured, new byte[4])))
        .hasMessageContaining("structured");
    assertThatThrownBy(() -> read(npy(4, structured, new byte[4]))).hasMessageContaining("4.0");
    assertThatThrownBy(() -> read(npy(1, "{'descr': '<f4'}", new byte[4])))
        .hasMessageContaining("must have");
    NpyArray half = read(npy("<f4", "(1,)", new byte[] {0, 0, 0, 0x3F}));
    assertThatThrownBy(half::ints).hasMessageContaining("expected an integer");
  }

  @Test
  void aHeaderCanNotMakeItAllocate() {
    for (String shape :
        new String[] {
          "(999999999999999999,)",
          "(2147483647, 2147483647)",
          "(4294967296, 4294967296, 4294967296)",
          "(99999999999999999999999,)",
          "(1,1,1,1,1,1,1,1,1,1)",
          "(-1,)",
          "(300000000,)"
        }) {
      byte[] file = npy("<f8", shape, new byte[8]);
      assertThatThrownBy(() -> read(file)).as(shape).isInstanceOf(CremaException.class);
      assertThatThrownBy(() -> read(IdxTest.gzip(file))).isInstanceOf(CremaException.class);
    }
    byte[] longHeader = npy(2, "{}", new byte[0]);
    ByteBuffer.wrap(longHeader).order(ByteOrder.LITTLE_ENDIAN).putInt(8, Integer.MAX_VALUE);
    assertThatThrownBy(() -> read(longHeader)).hasMessageContaining("is no header");
  }

  @Property(tries = 3000, shrinking = ShrinkingMode.OFF)
  void damagedFilesEndInAnExceptionOfOurs(
      @ForAll long seed,
      @ForAll @IntRange(min = 1, max = 4) int changes,
      @ForAll boolean packed,
      @ForAll @IntRange(min = 0, max = 60) int cut) {
    byte[] file = npy("<f4", "(2, 3)", new byte[24]);
    Mix random = new Mix(seed);
    for (int i = 0; i < changes; i++) {
      file[random.below(file.length - 24)] =
          random.below(2) == 0
              ? (byte) random.next()
              : (byte) "0123456789(),'<>fiu".charAt(random.below(19));
    }
    file = Arrays.copyOf(file, file.length - Math.max(0, cut - 30));
    try {
      NpyArray array = read(packed ? IdxTest.gzip(file) : file);
      assertThat(array.floats()).hasSize(array.elements());
    } catch (CremaException e) {
      assertThat(e).message().isNotBlank();
    }
  }
}
