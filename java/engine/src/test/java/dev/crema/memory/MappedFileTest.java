package dev.crema.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.device.Device;
import dev.crema.graph.Assign;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.op.Square;
import dev.crema.plan.Plan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MappedFileTest {
  private static final int SIZE = 10_000;

  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void write() throws IOException {
    byte[] bytes = new byte[SIZE];
    for (int i = 0; i < SIZE; i++) {
      bytes[i] = (byte) (i * 31);
    }
    file = Files.write(folder.resolve("gewichte-ü-重み.bin"), bytes);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 10000",
    "0, 1",
    "1, 9999",
    "4096, 5904",
    "4097, 3",
    "9999, 1",
    "10000, 0",
    "5, 0"
  })
  void anyRangeOfAFileIsMemory(long offset, int bytes) {
    long held = Buffer.allocatedBytes();
    try (Buffer buffer = Buffer.map(file, offset, bytes, false)) {
      assertThat(buffer.byteSize()).isEqualTo(bytes);
      for (int i = 0; i < bytes; i += 97) {
        assertThat(buffer.borrow(0, bytes).get(i)).isEqualTo((byte) ((offset + i) * 31));
      }
      assertThat(Buffer.allocatedBytes()).as("a mapped file is not allocated").isEqualTo(held);
    }
  }

  @Test
  void changesGoToTheFileOnlyWhenItIsMappedForWriting() throws IOException {
    try (Buffer buffer = Buffer.map(file, 4090, 100, true)) {
      assertThat(buffer.isWritable()).isTrue();
      buffer.bytes().put(50, (byte) 42);
    }
    assertThat(Files.readAllBytes(file)[4140]).isEqualTo((byte) 42);
    try (Buffer buffer = Buffer.map(file, 0, 100, false)) {
      assertThat(buffer.isWritable()).isFalse();
      assertThat(buffer.bytes().isReadOnly()).isTrue();
    }
  }

  @Test
  void memoryThatIsMappedForReadingIsNeverWrittenTo() {
    try (Buffer buffer = Buffer.map(file, 0, SIZE, false);
        Buffer zeros = Buffer.allocate(SIZE)) {
      assertThatThrownBy(() -> buffer.fill((byte) 0))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("is mapped for reading only");
      try (Buffer part = buffer.slice(8, 16)) {
        assertThatThrownBy(() -> part.fill((byte) 0)).isInstanceOf(CremaException.class);
      }
      assertThatThrownBy(() -> buffer.copyFrom(0, zeros, 0, 1)).isInstanceOf(CremaException.class);
      assertThat(buffer.bytes().get(1)).isEqualTo((byte) 31);
    }
  }

  @Test
  void aPlanThatChangesAStorageRefusesMemoryThatIsMappedForReading() {
    Graph graph = new Graph();
    Node place = graph.variable("p", Storage.PARAMETERS, 0, TensorType.of(4));
    Node next = place.then(new Square());
    graph.apply(new Assign(false), place, next);
    try (Buffer readOnly = Buffer.map(file, 0, 64, false)) {
      assertThatThrownBy(
              () ->
                  Plan.of(graph)
                      .outputs(next)
                      .device(Device.cpu())
                      .storage(Storage.PARAMETERS, readOnly)
                      .build())
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("mapped for reading only");
    }
  }

  @Test
  void whatCannotBeMappedIsAnErrorThatNamesTheFileAndTheReason() {
    assertThatThrownBy(() -> Buffer.map(file, 1, SIZE, false))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("the file has only 10000 bytes");
    assertThatThrownBy(() -> Buffer.map(file, Long.MAX_VALUE - 5, 5, false))
        .isInstanceOf(CremaException.class);
    assertThatThrownBy(() -> Buffer.map(folder.resolve("none"), 0, 1, false))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("No such file");
    assertThatThrownBy(() -> Buffer.map(folder, 0, 1, false)).isInstanceOf(CremaException.class);
    assertThatThrownBy(() -> Buffer.map(file, -1, 1, false))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> Buffer.map(file, 2, Long.MAX_VALUE - 1, false))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }
}
