package dev.crema.io;

import static dev.crema.io.SafetensorsFiles.bytes;
import static dev.crema.io.SafetensorsFiles.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.crema.CremaException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SafetensorsHostileTest {
  private static final byte[] GOOD =
      bytes(
          "{\"__metadata__\":{\"a\":\"b\"},"
              + entry("w", "F32", "[1,2]", 0, 8)
              + ","
              + entry("ü", "U8", "[3]", 8, 11)
              + "}  ",
          11);

  private static Path scratch;

  @TempDir Path folder;

  static Stream<Arguments> refused() {
    String w = entry("w", "F32", "[2]", 0, 8);
    String two = "\"x\":{\"dtype\":\"U8\",\"shape\":[2],";
    long max = Long.MAX_VALUE;
    return Stream.of(
        Arguments.of("trailing text", bytes("{" + w + "} x", 8), "Unrecognized token"),
        Arguments.of("second document", bytes("{" + w + "}{}", 8), "only spaces"),
        Arguments.of("zero byte behind", bytes("{" + w + "}\0", 8), "header"),
        Arguments.of("space before", bytes(" {" + w + "}", 8), "begin with '{'"),
        Arguments.of("an array", bytes("[]", 0), "begin with '{'"),
        Arguments.of("no end", bytes("{" + w, 8), "end-of-input"),
        Arguments.of("only a brace", bytes("{ ", 0), "header"),
        Arguments.of("tensor twice", bytes("{" + w + "," + w + "}", 8), "'w' stands twice"),
        Arguments.of(
            "field twice",
            bytes("{" + two + "\"shape\":[2],\"data_offsets\":[0,2]}}", 2),
            "shape of tensor 'x' stands twice"),
        Arguments.of(
            "metadata twice",
            bytes("{\"__metadata__\":{},\"__metadata__\":{}}", 0),
            "'__metadata__' stands twice"),
        Arguments.of(
            "metadata key twice",
            bytes("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0),
            "metadata 'k' stands twice"),
        Arguments.of("metadata number", bytes("{\"__metadata__\":{\"k\":1}}", 0), "must be a text"),
        Arguments.of("metadata list", bytes("{\"__metadata__\":[]}", 0), "object of texts"),
        Arguments.of("tensor a number", bytes("{\"x\":1}", 0), "'x' must be an object"),
        Arguments.of("no offsets", bytes("{" + two + "\"y\":1}}", 0), "needs dtype, shape"),
        Arguments.of("one offset", bytes("{" + two + "\"data_offsets\":[0]}}", 0), "needs dtype"),
        Arguments.of(
            "three offsets",
            bytes("{" + two + "\"data_offsets\":[0,1,2]}}", 2),
            "more than 2 numbers"),
        Arguments.of(
            "offset a text",
            bytes("{" + two + "\"data_offsets\":[\"0\",2]}}", 2),
            "whole numbers from 0"),
        Arguments.of(
            "offset a fraction",
            bytes("{" + two + "\"data_offsets\":[0,2.0]}}", 2),
            "whole numbers from 0"),
        Arguments.of(
            "offset 1e1", bytes("{" + two + "\"data_offsets\":[0,1e1]}}", 2), "whole numbers"),
        Arguments.of(
            "offset null", bytes("{" + two + "\"data_offsets\":[null,2]}}", 2), "whole numbers"),
        Arguments.of(
            "nested offsets", bytes("{" + two + "\"data_offsets\":[[0],2]}}", 2), "whole numbers"),
        Arguments.of("negative begin", bytes("{" + entry("x", "U8", "[2]", -1, 1) + "}", 2), "-1"),
        Arguments.of("negative dim", bytes("{" + entry("x", "U8", "[-2]", 0, 2) + "}", 2), "-2"),
        Arguments.of(
            "offset of 2^64",
            bytes("{" + two + "\"data_offsets\":[0,18446744073709551616]}}", 2),
            "beyond 2^63"),
        Arguments.of(
            "offset of a thousand digits",
            bytes("{" + two + "\"data_offsets\":[0," + "9".repeat(1000) + "]}}", 2),
            "Number value length"),
        Arguments.of(
            "end outside", bytes("{" + entry("x", "U8", "[9]", 0, 9) + "}", 8), "cut short"),
        Arguments.of(
            "end far outside",
            bytes("{" + entry("x", "U8", "[" + max + "]", 0, max) + "}", 8),
            "cut short"),
        Arguments.of(
            "backwards",
            bytes("{" + entry("x", "U8", "[2]", 2, 0) + "}", 2),
            "claims bytes 2 to 0"),
        Arguments.of(
            "elements overflow",
            bytes("{" + entry("x", "U8", "[4294967296,4294967296]", 0, 0) + "}", 0),
            "2^63"),
        Arguments.of(
            "bits overflow",
            bytes("{" + entry("x", "F32", "[2305843009213693952]", 0, 0) + "}", 0),
            "2^63"),
        Arguments.of(
            "overflow before a zero",
            bytes("{" + entry("x", "F32", "[4294967296,4294967296,0]", 0, 0) + "}", 0),
            "2^63"),
        Arguments.of(
            "size differs",
            bytes("{" + entry("x", "F32", "[2]", 0, 4) + "}", 4),
            "takes 8 bytes, but its data_offsets span 4"),
        Arguments.of(
            "half a byte", bytes("{" + entry("x", "F4", "[3]", 0, 1) + "}", 1), "whole bytes"),
        Arguments.of(
            "nine axes",
            bytes("{" + entry("x", "U8", "[1,1,1,1,1,1,1,1,1]", 0, 1) + "}", 1),
            "more than 8 numbers"),
        Arguments.of(
            "unknown dtype", bytes("{" + entry("x", "F33", "[1]", 0, 4) + "}", 4), "'F33'"),
        Arguments.of(
            "overlap",
            bytes(
                "{" + entry("a", "U8", "[2]", 0, 2) + "," + entry("b", "U8", "[2]", 1, 3) + "}", 3),
            "overlaps"),
        Arguments.of(
            "the same bytes twice",
            bytes(
                "{" + entry("a", "U8", "[2]", 0, 2) + "," + entry("b", "U8", "[2]", 0, 2) + "}", 2),
            "overlaps"),
        Arguments.of(
            "hole between",
            bytes(
                "{" + entry("a", "U8", "[1]", 0, 1) + "," + entry("b", "U8", "[1]", 2, 3) + "}", 3),
            "hole"),
        Arguments.of("hole first", bytes("{" + entry("a", "U8", "[1]", 1, 2) + "}", 2), "hole"),
        Arguments.of(
            "data behind",
            bytes("{" + entry("a", "U8", "[1]", 0, 1) + "}", 2),
            "take 1 bytes, but 2"),
        Arguments.of("data without tensors", bytes("{}", 3), "take 0 bytes, but 3"),
        Arguments.of(
            "control character escaped",
            bytes("{" + entry("a\\u0007", "U8", "[1]", 0, 1) + "}", 1),
            "control character"),
        Arguments.of(
            "control character raw",
            bytes("{" + entry("a\u0001", "U8", "[1]", 0, 1) + "}", 1),
            "header"),
        Arguments.of(
            "half a surrogate pair",
            bytes("{" + entry("\\ud800", "U8", "[1]", 0, 1) + "}", 1),
            "surrogate"),
        Arguments.of("bad UTF-8", notUtf8(0xff), "not UTF-8"),
        Arguments.of("overlong UTF-8", notUtf8(0xc0), "not UTF-8"),
        Arguments.of(
            "UTF-16", bytes(("{" + w + "}").getBytes(StandardCharsets.UTF_16LE), 8), "header"),
        Arguments.of(
            "deep nesting in an ignored field",
            bytes("{" + two + "\"y\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}}", 2),
            "nesting"),
        Arguments.of("deep nesting", bytes("{\"a\":".repeat(50_000), 0), "nesting"),
        Arguments.of("endless name", bytes("{\"" + "n".repeat(100_000) + "\":{}}", 0), "Name"));
  }

  private static byte[] notUtf8(int b) {
    byte[] header = ("{" + entry("?", "U8", "[1]", 0, 1) + "}").getBytes(StandardCharsets.UTF_8);
    header[2] = (byte) b;
    return bytes(header, 1);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refused")
  void isRefusedNamingFileAndFault(String what, byte[] file, String fault) {
    Path path = SafetensorsFiles.write(folder, file);
    assertThatThrownBy(() -> Safetensors.open(path))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining(path.toString())
        .hasMessageContaining(fault);
  }

  @Test
  void whatTheFormatAllowsIsRead() {
    String ignored =
        "\"x\":{\"other\":[{\"a\":1}],\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}";
    for (String header :
        new String[] {"{}", "{} \n\t ", "{\"__metadata__\":null}", "{\"__metadata__\":{}}"}) {
      Safetensors.open(SafetensorsFiles.write(folder, bytes(header, 0))).close();
    }
    String empties = entry("e", "U8", "[0]", 1, 1) + "," + entry("f", "F32", "[2,0]", 1, 1);
    try (Safetensors read =
        Safetensors.open(
            SafetensorsFiles.write(folder, bytes("{" + empties + "," + ignored + "}", 1)))) {
      assertThat(read.tensors().keySet()).containsExactly("x", "e", "f");
      assertThat(read.view("x").get(0)).isEqualTo((byte) 1);
      assertThat(read.view("e").remaining()).isZero();
    }
  }

  @Test
  void anErrorInTheHeaderNamesLineAndColumn() {
    Path path = SafetensorsFiles.write(folder, bytes("{\n  \"x\": 5}", 0));
    assertThatThrownBy(() -> Safetensors.open(path)).hasMessageContaining("line 2, column 8");
  }

  @Test
  void aFileCutShortAnywhereIsRefused() {
    for (int length = 0; length < GOOD.length; length++) {
      Path path = SafetensorsFiles.write(folder, Arrays.copyOf(GOOD, length));
      assertThatThrownBy(() -> Safetensors.open(path))
          .as("first %d bytes", length)
          .isInstanceOf(CremaException.class);
    }
    Safetensors.open(SafetensorsFiles.write(folder, GOOD)).close();
  }

  @ParameterizedTest
  @org.junit.jupiter.params.provider.ValueSource(
      longs = {0, 1, 100_000_001, 1L << 31, 1L << 40, Long.MAX_VALUE, Long.MIN_VALUE, -1, -9})
  void aClaimedHeaderLengthAllocatesNothing(long length) {
    Path path = SafetensorsFiles.write(folder, SafetensorsFiles.withLength(length, GOOD));
    assertThat(allocatedByOpening(path)).isLessThan(1 << 20);
  }

  @Test
  void aHeaderThatIsLargeButHollowCostsLittle() throws IOException {
    // 90 MB of spaces after the brace, in a sparse file: streamed, never held.
    Path path = folder.resolve("hollow.safetensors");
    byte[] start = SafetensorsFiles.withLength(90_000_000, bytes("{\"a\":", 0));
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.write(start);
      file.setLength(90_000_008);
    }
    assertThat(allocatedByOpening(path)).isLessThan(1 << 20);
  }

  @Test
  void tooManyTensorsAreRefusedBeforeTheyFillTheHeap() throws IOException {
    StringBuilder header = new StringBuilder("{");
    for (int i = 0; i <= SafetensorsHeader.MAX_TENSORS; i++) {
      header.append(i == 0 ? "" : ",").append(entry("t" + i, "U8", "[0]", 0, 0));
    }
    Path path = SafetensorsFiles.write(folder, bytes(header.append('}').toString(), 0));
    assertThatThrownBy(() -> Safetensors.open(path))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("more than 250000 tensors");
  }

  @Test
  void aFileThatShrinksAfterOpeningGivesAnErrorNotHalfATensor() throws IOException {
    Path path = SafetensorsFiles.write(folder, GOOD);
    try (Safetensors read = Safetensors.open(path);
        RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(GOOD.length - 9);
      ByteBuffer dst = ByteBuffer.allocate(8);
      assertThatThrownBy(() -> read.read("w", dst))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("became shorter");
      assertThat(dst.position()).isZero();
    }
  }

  private static long allocatedByOpening(Path path) {
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    assertThatThrownBy(() -> Safetensors.open(path)).isInstanceOf(CremaException.class); // warm
    long id = Thread.currentThread().getId();
    long before = threads.getThreadAllocatedBytes(id);
    try {
      Safetensors.open(path).close();
    } catch (CremaException expected) {
      return threads.getThreadAllocatedBytes(id) - before;
    }
    throw new AssertionError("It was not refused");
  }

  @Property(tries = 3000)
  void aMutatedFileIsRefusedOrReadsWhole(
      @ForAll @Size(min = 1, max = 4) int[] places, @ForAll byte value, @ForAll boolean ofJson)
      throws IOException {
    byte[] mutated = GOOD.clone();
    byte[] json = "{}[]\",:0123456789-.eEFUI\\u \n".getBytes(StandardCharsets.UTF_8);
    for (int place : places) {
      byte v = ofJson ? json[Math.floorMod(place >> 8, json.length)] : value;
      mutated[Math.floorMod(place, mutated.length)] = v;
    }
    isRefusedOrReadsWhole(mutated);
  }

  @Property(tries = 1000)
  void aFileWithBytesTakenOutOrRepeatedIsRefusedOrReadsWhole(
      @ForAll @IntRange(max = 255) int at, @ForAll @IntRange(min = -40, max = 40) int change)
      throws IOException {
    int from = Math.floorMod(at, GOOD.length);
    int skip = Math.max(0, Math.min(GOOD.length, from - change));
    byte[] file = Arrays.copyOf(GOOD, from + GOOD.length - skip);
    System.arraycopy(GOOD, skip, file, from, GOOD.length - skip);
    isRefusedOrReadsWhole(file);
    if (file.length >= 8) {
      isRefusedOrReadsWhole(
          SafetensorsFiles.withLength((GOOD[0] & 0xff) + file.length - GOOD.length, file));
    }
  }

  private static void isRefusedOrReadsWhole(byte[] bytes) throws IOException {
    if (scratch == null) {
      scratch = Files.createTempFile("fuzz", ".safetensors");
    }
    Files.write(scratch, bytes);
    try (Safetensors read = Safetensors.open(scratch)) {
      long sum = 0;
      for (TensorInfo t : read.tensors().values()) {
        sum += t.byteSize();
        if (t.isSupported()) {
          assertThat(t.shape().byteSize(t.type())).isEqualTo(t.byteSize());
          ByteBuffer dst = ByteBuffer.allocate((int) t.byteSize());
          read.read(t.name(), dst);
          assertThat(dst.hasRemaining()).isFalse();
        }
      }
      assertThat(sum).isEqualTo(bytes.length - 8 - (bytes[0] & 0xff));
    } catch (CremaException refused) {
      assertThat(refused).hasMessageContaining(scratch.toString());
    }
  }

  @AfterContainer
  static void deleteScratch() throws IOException {
    if (scratch != null) {
      Files.deleteIfExists(scratch);
    }
  }
}
