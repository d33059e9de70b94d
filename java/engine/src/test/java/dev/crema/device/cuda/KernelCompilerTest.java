package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kernels compiled at first use, and the cache of them. */
class KernelCompilerTest {
  private static final KernelSource SOURCE =
      new KernelSource("softmax", "source", Map.of("common.cuh", "header"));

  @TempDir private Path folder;
  private final FakeCard card = new FakeCard();

  private KernelCompiler compiler() {
    return new KernelCompiler(card.compiler(), new KernelCache(folder), 90);
  }

  private long compilations() {
    return card.log("nvrtcCompileProgram").size();
  }

  @Test
  void eachSourceIsCompiledOnceForItsArchitecture() {
    assertThat(compiler().compile(SOURCE)).isEqualTo(FakeCompiler.CODE);
    assertThat(card.log("nvrtcCompileProgram"))
        .containsExactly(
            "nvrtcCompileProgram --gpu-architecture=sm_90 --std=c++17"
                + " --device-as-default-execution-space");
    assertThat(card.fakeCompiler().headers).containsExactly("common.cuh");
    assertThat(compiler().compile(SOURCE)).isEqualTo(FakeCompiler.CODE);
    assertThat(compilations()).isEqualTo(1);
    assertThat(card.live).isEmpty();
  }

  @Test
  void whateverTheCodeDependsOnMakesItNew() {
    compiler().compile(SOURCE);
    compiler().compile(new KernelSource("softmax", "other", SOURCE.headers()));
    assertThat(compilations()).isEqualTo(2);
    compiler().compile(new KernelSource("softmax", "source", Map.of("common.cuh", "other")));
    assertThat(compilations()).isEqualTo(3);
    new KernelCompiler(card.compiler(), new KernelCache(folder), 100).compile(SOURCE);
    assertThat(compilations()).isEqualTo(4);
    card.fakeCompiler().minor = 2;
    compiler().compile(SOURCE);
    assertThat(compilations()).isEqualTo(5);
  }

  @Test
  void aDamagedFileIsCompiledAgainAndReplaced() throws IOException {
    compiler().compile(SOURCE);
    Path file = files().get(0);
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 1] ^= 1;
    Files.write(file, bytes);
    assertThat(compiler().compile(SOURCE)).isEqualTo(FakeCompiler.CODE);
    assertThat(compilations()).isEqualTo(2);
    Files.write(file, new byte[3]);
    assertThat(compiler().compile(SOURCE)).isEqualTo(FakeCompiler.CODE);
    assertThat(compiler().compile(SOURCE)).isEqualTo(FakeCompiler.CODE);
    assertThat(compilations()).isEqualTo(3);
    assertThat(files()).as("nothing else is left").containsExactly(file);
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.toList();
    }
  }

  @Test
  void aFolderThatCannotBeWrittenCostsNothingButTime() throws IOException {
    Path file = Files.createFile(folder.resolve("a file"));
    KernelCompiler compiler =
        new KernelCompiler(card.compiler(), new KernelCache(file.resolve("below")), 90);
    assertThat(compiler.compile(SOURCE)).isEqualTo(FakeCompiler.CODE);
  }

  @Test
  void whatDoesNotCompileComesWithTheLog() {
    card.fakeCompiler().compileStatus = 6;
    assertThatThrownBy(() -> compiler().compile(SOURCE))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("NVRTC 13.1 does not compile softmax.cu")
        .hasMessageContaining("line 7: no such thing");
    assertThat(card.live).isEmpty();
  }

  @Test
  void everyCallIsChecked() {
    for (int k = 1; k <= 6; k++) {
      FakeCard failing = new FakeCard();
      failing.failAt(k, 3);
      try {
        new KernelCompiler(failing.compiler(), new KernelCache(null), 90).compile(SOURCE);
        assertThat(failing.failedCall).as("call %s", k).isIn(null, "nvrtcDestroyProgram");
      } catch (CudaException e) {
        assertThat(e.getMessage()).contains("NVRTC_ERROR_3");
      }
      assertThat(failing.live).as("call %s", k).isEmpty();
    }
  }
}
