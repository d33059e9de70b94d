package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.io.ModelArchive;
import dev.crema.io.Safetensors;
import dev.crema.memory.Buffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MomentFilesTest {
  @TempDir private Path folder;

  /** Stretches of a few bytes stand for those of a gigabyte in memory that has more. */
  @ParameterizedTest
  @CsvSource({"100, 400, 400", "100, 64, 28", "100, 4, 400", "1, 1024, 4", "257, 1020, 8"})
  void memoryComesBackWhateverTheStretches(int floats, int written, int read) {
    Path file = folder.resolve("model");
    try (Buffer from = Buffer.allocate(4L * floats);
        Buffer to = Buffer.allocate(4L * floats);
        Buffer other = Buffer.allocate(4L * floats + 4)) {
      for (int i = 0; i < floats; i++) {
        from.borrow(4L * i, 4).putFloat(0, i * 0.37f - 3);
      }
      ModelArchive.write(
          file,
          Map.of(
              "m.safetensors",
              Safetensors.content(List.of(MomentFiles.tensor("m", from, written)), Map.of())));
      to.fill((byte) 0x7F);
      try (ModelArchive archive = ModelArchive.open(file)) {
        Safetensors tensors = archive.tensors("m.safetensors");
        MomentFiles.read(tensors, "m", to, read);
        assertThatThrownBy(() -> MomentFiles.read(tensors, "m", other))
            .isInstanceOf(CremaException.class)
            .hasMessageContaining("is of a model with other parameters");
      }
      for (int i = 0; i < floats; i++) {
        assertThat(to.borrow(4L * i, 4).getFloat(0)).isEqualTo(i * 0.37f - 3);
      }
    }
  }
}
