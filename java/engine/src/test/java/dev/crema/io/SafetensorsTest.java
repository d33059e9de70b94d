package dev.crema.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ReadOnlyBufferException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SafetensorsTest {
  @TempDir Path folder;

  private Path file() {
    return folder.resolve("t.safetensors");
  }

  private static ByteBuffer random(long bytes, boolean direct) {
    byte[] values = new byte[(int) bytes];
    new Random(bytes).nextBytes(values);
    ByteBuffer b = direct ? ByteBuffer.allocateDirect(values.length) : ByteBuffer.wrap(values);
    return direct ? b.put(values).flip() : b;
  }

  @ParameterizedTest
  @EnumSource(ElementType.class)
  void everyElementTypeComesBackAsItWasWritten(ElementType type) {
    List<NamedTensor> tensors = new ArrayList<>();
    for (Shape shape : List.of(Shape.of(), Shape.of(0, 3), Shape.of(17), Shape.of(5, 1, 257))) {
      boolean direct = shape.rank() % 2 == 1;
      tensors.add(
          NamedTensor.of("t" + shape.rank(), type, shape, random(shape.byteSize(type), direct)));
    }
    Safetensors.write(file(), tensors, Map.of("epoch", "3", "größe", "\"q\"\n"));
    try (Safetensors read = Safetensors.open(file())) {
      assertThat(read.metadata()).isEqualTo(Map.of("epoch", "3", "größe", "\"q\"\n"));
      assertThat(read.tensors()).hasSize(4);
      for (NamedTensor t : tensors) {
        assertThat(read.tensor(t.name()).type()).isEqualTo(type);
        assertThat(read.tensor(t.name()).shape()).isEqualTo(t.shape());
        ByteBuffer expected = random(t.byteSize(), false);
        ByteBuffer direct = ByteBuffer.allocateDirect((int) t.byteSize());
        ByteBuffer heap = ByteBuffer.allocate((int) t.byteSize());
        read.read(t.name(), direct);
        read.read(t.name(), heap);
        assertThat(direct.flip()).isEqualTo(expected);
        assertThat(heap.flip()).isEqualTo(expected);
        assertThat(read.view(t.name())).isEqualTo(expected);
      }
    }
  }

  @Test
  void aTinyFileHasTheseBytes() throws IOException {
    ByteBuffer x = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    x.putFloat(1f).putFloat(-2f).flip();
    ByteBuffer m = ByteBuffer.wrap(new byte[] {1, 0, 1});
    Safetensors.write(
        file(),
        List.of(
            NamedTensor.of("m", ElementType.BOOL, Shape.of(3), m),
            NamedTensor.of("x", ElementType.FLOAT32, Shape.of(1, 2), x)),
        Map.of("k", "v", "a", "b"));
    String json =
        "{\"__metadata__\":{\"a\":\"b\",\"k\":\"v\"},"
            + "\"x\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]},"
            + "\"m\":{\"dtype\":\"BOOL\",\"shape\":[3],\"data_offsets\":[8,11]}}";
    ByteBuffer golden = ByteBuffer.allocate(192 + 11).order(ByteOrder.LITTLE_ENDIAN);
    golden.putLong(184).put((json + " ".repeat(184 - json.length())).getBytes(UTF_8));
    golden.put(new byte[] {0, 0, (byte) 0x80, 0x3f, 0, 0, 0, (byte) 0xc0, 1, 0, 1});
    assertThat(Files.readAllBytes(file())).isEqualTo(golden.array());
  }

  @Test
  void theSameContentGivesTheSameBytes() throws IOException {
    List<NamedTensor> tensors =
        List.of(NamedTensor.of("w", ElementType.INT32, Shape.of(2, 2), random(16, true)));
    Safetensors.write(file(), tensors, Map.of("x", "1", "y", "2", "z", "3"));
    byte[] first = Files.readAllBytes(file());
    Safetensors.write(file(), tensors, Map.of("z", "3", "y", "2", "x", "1"));
    assertThat(Files.readAllBytes(file())).isEqualTo(first);
  }

  @Test
  void everyTensorIsAlignedToItsElementsAndOneTypeLiesInTheOrderGiven() {
    List<NamedTensor> tensors =
        List.of(
            NamedTensor.of("odd", ElementType.INT8, Shape.of(3), random(3, false)),
            NamedTensor.of("b", ElementType.FLOAT32, Shape.of(1), random(4, false)),
            NamedTensor.of("half", ElementType.FLOAT16, Shape.of(3), random(6, false)),
            NamedTensor.of("a", ElementType.FLOAT32, Shape.of(5), random(20, false)),
            NamedTensor.of("long", ElementType.INT64, Shape.of(1), random(8, false)));
    Safetensors.write(file(), tensors, Map.of());
    try (Safetensors read = Safetensors.open(file())) {
      assertThat(read.tensors().keySet()).containsExactly("long", "b", "a", "half", "odd");
      for (TensorInfo t : read.tensors().values()) {
        assertThat(read.view(t.name()).alignmentOffset(0, t.type().byteSize())).isZero();
      }
      assertThat(read.view("long").alignmentOffset(0, 64)).isZero();
    }
  }

  @Test
  void aViewIsReadOnlyLittleEndianAndOutlivesTheFile() throws IOException {
    ByteBuffer x = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(0, 1.5f);
    Safetensors.write(
        file(), List.of(NamedTensor.of("x", ElementType.FLOAT32, Shape.of(1), x)), Map.of());
    ByteBuffer view;
    try (Safetensors read = Safetensors.open(file())) {
      view = read.view("x");
    }
    Safetensors.write(file(), List.of(), Map.of());
    assertThat(view.getFloat(0)).isEqualTo(1.5f);
    assertThatThrownBy(() -> view.putFloat(0, 2f)).isInstanceOf(ReadOnlyBufferException.class);
  }

  @Test
  void writingLeavesTheBuffersPositionAndWritesFromThere() {
    ByteBuffer x = ByteBuffer.wrap(new byte[] {9, 1, 2, 9}).position(1).limit(3);
    Safetensors.write(
        file(), List.of(NamedTensor.of("x", ElementType.UINT8, Shape.of(2), x)), Map.of());
    assertThat(x.position()).isEqualTo(1);
    try (Safetensors read = Safetensors.open(file())) {
      assertThat(read.view("x")).isEqualTo(ByteBuffer.wrap(new byte[] {1, 2}));
    }
  }

  @Test
  void aTensorBeyondTwoGigabytesIsReadInParts() throws IOException {
    long size = 3L << 30;
    String entry = SafetensorsFiles.entry("big", "U8", "[3221225472]", 0, size);
    byte[] head = SafetensorsFiles.bytes("{" + entry + "}", 0);
    try (RandomAccessFile sparse = new RandomAccessFile(file().toFile(), "rw")) {
      sparse.write(head);
      sparse.seek(head.length + size - 2);
      sparse.write(new byte[] {7, 8});
    }
    try (Safetensors read = Safetensors.open(file())) {
      ByteBuffer end = ByteBuffer.allocateDirect(3);
      read.read("big", size - 3, end);
      assertThat(end.flip()).isEqualTo(ByteBuffer.wrap(new byte[] {0, 7, 8}));
      assertThatThrownBy(() -> read.read("big", size - 2, end.clear()))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("asked for 3 from byte 3221225470");
      assertThatThrownBy(() -> read.view("big"))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("read it in parts");
    }
  }

  @Test
  void typesThatCremaLacksAreRefusedOnlyWhenLoaded() {
    String header =
        "{"
            + SafetensorsFiles.entry("d", "F64", "[1]", 0, 8)
            + ","
            + SafetensorsFiles.entry("u", "U16", "[1]", 8, 10)
            + ","
            + SafetensorsFiles.entry("f", "F4", "[2]", 10, 11)
            + ","
            + SafetensorsFiles.entry("ok", "I8", "[1]", 11, 12)
            + "}";
    try (Safetensors read =
        Safetensors.open(SafetensorsFiles.write(folder, SafetensorsFiles.bytes(header, 12)))) {
      assertThat(read.view("ok").get(0)).isEqualTo((byte) 12);
      assertThat(read.tensor("d").isSupported()).isFalse();
      assertThatThrownBy(() -> read.view("d"))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("'d' has elements of type F64, which is not supported");
    }
  }

  @Test
  void whatCannotBeWrittenSaysWhyAndLeavesTheOldFile() throws IOException {
    Files.writeString(file(), "old");
    ByteBuffer two = ByteBuffer.allocate(2);
    assertThatThrownBy(() -> write(NamedTensor.of("x", ElementType.INT8, Shape.of(3), two)))
        .hasMessageContaining("'x' of INT8 [3]: it has 2 bytes; its shape takes 3");
    for (int wrong : new int[] {2, 4}) {
      Content content = out -> out.write(ByteBuffer.allocate(wrong));
      assertThatThrownBy(() -> write(new NamedTensor("x", ElementType.INT8, Shape.of(3), content)))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("takes 3 bytes, but its content has");
    }
    NamedTensor x = NamedTensor.of("x", ElementType.INT8, Shape.of(2), two);
    assertThatThrownBy(() -> write(x, x)).hasMessageContaining("it is used twice");
    for (String name : new String[] {"__metadata__", "a\nb", "\ud800"}) {
      assertThatThrownBy(() -> write(NamedTensor.of(name, ElementType.INT8, Shape.of(2), two)))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("Cannot write tensor");
    }
    assertThat(folder).isDirectoryContaining(p -> true);
    assertThat(Files.list(folder)).containsExactly(file());
    assertThat(file()).hasContent("old");
  }

  private void write(NamedTensor... tensors) {
    Safetensors.write(file(), List.of(tensors), Map.of());
  }

  @Test
  void wrongUseSaysWhatTheFileHas() {
    write(NamedTensor.of("x", ElementType.INT8, Shape.of(2), ByteBuffer.allocate(2)));
    Safetensors read = Safetensors.open(file());
    assertThatThrownBy(() -> read.view("y"))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("has no tensor 'y'. It has 1: x");
    ByteBuffer three = ByteBuffer.allocate(3);
    assertThatThrownBy(() -> read.read("x", three))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("has 2 bytes; the buffer to read it into has room for 3");
    read.close();
    read.close();
    assertThatThrownBy(() -> read.read("x", ByteBuffer.allocate(2)))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("closed");
    assertThatThrownBy(() -> Safetensors.open(folder.resolve("none")))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("there is no such file");
    assertThatThrownBy(() -> Safetensors.open(folder)).hasMessageContaining("not a regular file");
  }
}
