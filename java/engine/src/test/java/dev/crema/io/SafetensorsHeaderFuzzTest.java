package dev.crema.io;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.crema.CremaException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/**
 * Headers of safetensors files that are put together at random, most of their parts sound: whatever
 * is wrong with one is refused by an exception of ours, for little memory, and what is read is
 * whole.
 */
class SafetensorsHeaderFuzzTest {
  private static final long MOST_MEMORY = 2 << 20;
  private static final List<String> TYPES = List.of("F32", "F16", "I64", "U8", "BOOL", "F64", "F4");

  /** Values where others are expected. */
  private static final List<String> VALUES =
      List.of(
          "0",
          "-1",
          "1",
          "1.5",
          "1e3",
          "-0",
          "1e999",
          "2147483648",
          "9223372036854775807",
          "9223372036854775808",
          "9".repeat(300),
          "null",
          "true",
          "\"\"",
          "\"F32\"",
          "\"\\u0000\"",
          "\"\\ud800\"",
          "[]",
          "[0]",
          "[4294967296,4294967296]",
          "[0,9223372036854775807]",
          "{}",
          "{\"dtype\":\"F32\"}",
          "[".repeat(2_000) + "]".repeat(2_000),
          "{\"a\":".repeat(300) + "0" + "}".repeat(300));

  private static Path folder;
  private static long refused;
  private static long read;

  @BeforeContainer
  static void make() throws IOException {
    folder = Files.createTempDirectory("crema-headers");
  }

  @AfterContainer
  static void delete() throws IOException {
    Files.delete(folder.resolve("hand.safetensors"));
    Files.delete(folder);
    assertThat(refused).as("headers refused").isGreaterThan(100);
    assertThat(read).as("headers read").isGreaterThan(100);
  }

  @Property(tries = 1_500, shrinking = ShrinkingMode.OFF)
  void isRefusedByAnExceptionOfOursOrReadsWhole(@ForAll long seed) {
    Random random = new Random(seed);
    Header header = new Header(random);
    byte[] text = header.text().getBytes(StandardCharsets.UTF_8);
    if (random.nextInt(20) == 0) {
      text[random.nextInt(text.length)] = (byte) (128 + random.nextInt(128));
    }
    byte[] file = SafetensorsFiles.bytes(text, header.dataBytes);
    if (random.nextInt(20) == 0) {
      file = SafetensorsFiles.withLength(random.nextLong() >> random.nextInt(64), file);
    }
    Path path = SafetensorsFiles.write(folder, file);
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    try (Safetensors tensors = Safetensors.open(path)) {
      long sum = 0;
      for (TensorInfo t : tensors.tensors().values()) {
        sum += t.byteSize();
        if (t.isSupported()) {
          ByteBuffer bytes = ByteBuffer.allocate((int) t.byteSize());
          tensors.read(t.name(), bytes);
          assertThat(bytes.hasRemaining()).isFalse();
        }
      }
      assertThat(sum).as("the tensors are all that is there").isEqualTo(header.dataBytes);
      read++;
    } catch (CremaException e) {
      assertThat(e).hasMessageContaining(path.toString());
      refused++;
    }
    assertThat(threads.getCurrentThreadAllocatedBytes() - before)
        .as("%s", header.text())
        .isLessThan(MOST_MEMORY);
  }

  /** Tensors one after the other, of which one or two may be changed. */
  private static final class Header {
    private final Random random;
    private final List<String> members = new ArrayList<>();
    private final int faults;
    private int dataBytes;
    private String end = "}";

    Header(Random random) {
      this.random = random;
      this.faults = random.nextInt(3);
      int tensors = random.nextInt(5);
      for (int i = 0; i < tensors; i++) {
        members.add(tensor("t" + i));
      }
      if (random.nextInt(3) == 0) {
        members.add("\"__metadata__\":" + (isFaulty() ? value() : "{\"a\":\"b\",\"c\":\"\"}"));
      }
      if (isFaulty() && !members.isEmpty()) {
        members.add(members.get(random.nextInt(members.size()))); // a name twice
      }
      if (random.nextInt(10) == 0) {
        end = List.of("}  \n", "} x", "", "}}", "}\u0000").get(random.nextInt(5));
      }
      Collections.shuffle(members, random);
    }

    private boolean isFaulty() {
      return faults > 0 && random.nextInt(12) == 0;
    }

    private String value() {
      return VALUES.get(random.nextInt(VALUES.size()));
    }

    private String tensor(String name) {
      int type = random.nextInt(TYPES.size() - 1);
      long bytes = List.of(4, 2, 8, 1, 1, 8).get(type);
      StringBuilder shape = new StringBuilder("[");
      for (int a = random.nextInt(4); a > 0; a--) {
        int extent = random.nextInt(4);
        bytes *= extent;
        shape.append(shape.length() > 1 ? "," : "").append(extent);
      }
      long begin = dataBytes;
      dataBytes += (int) bytes;
      List<String> fields = new ArrayList<>();
      fields.add("\"dtype\":" + (isFaulty() ? value() : "\"" + TYPES.get(type) + "\""));
      fields.add("\"shape\":" + (isFaulty() ? value() : shape + "]"));
      fields.add(
          "\"data_offsets\":" + (isFaulty() ? offsets() : "[" + begin + "," + dataBytes + "]"));
      if (isFaulty()) {
        fields.remove(random.nextInt(3));
      }
      if (isFaulty()) {
        fields.add(fields.get(0));
      }
      if (random.nextInt(8) == 0) {
        fields.add("\"more\":" + value());
      }
      Collections.shuffle(fields, random);
      return "\"" + name + "\":" + (isFaulty() ? value() : "{" + String.join(",", fields) + "}");
    }

    /** Overlapping, backwards, beyond the file, or no offsets at all. */
    private String offsets() {
      return switch (random.nextInt(4)) {
        case 0 -> "[" + random.nextInt(dataBytes + 2) + "," + random.nextInt(dataBytes + 2) + "]";
        case 1 -> "[" + value() + "," + value() + "]";
        case 2 -> "[" + (dataBytes + 1) + "," + (dataBytes + 5) + "]";
        default -> value();
      };
    }

    String text() {
      return "{" + String.join(",", members) + end;
    }
  }
}
