package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.OtherJvm;
import dev.crema.device.cuda.calls.LibraryFiles;
import dev.crema.device.cuda.preset.PresetLibraries;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is loaded of NVIDIA's libraries: those of a jar of redistributables where no folder has
 * them, and all that load beside one that does not. Stand-ins, in a JVM of its own: a process loads
 * a library of a name once.
 */
class LibraryLoadingTest {
  private static final String JAR_FOLDER = "org/bytedeco/cuda/linux-x86_64/";

  @TempDir private Path folder;

  @Test
  void librariesOfTheJarAreLoadedAndTheDriverIsTheSystems()
      throws IOException, InterruptedException {
    Path driver = Files.createDirectories(folder.resolve("driver"));
    Path built = Files.createDirectories(folder.resolve("built"));
    CudaStubs.build(built);
    Files.move(built.resolve(CudaStubs.DRIVER), driver.resolve(CudaStubs.DRIVER));
    Path jar = folder.resolve("cuda-linux-x86_64-redist.jar");
    pack(built, jar);
    List<String> options =
        List.of(
            "-Xbootclasspath/a:" + jar,
            "-Dorg.bytedeco.javacpp.cachedir=" + folder.resolve("cache"));
    try (OtherJvm jvm = OtherJvm.start(options, Look.class, driver)) {
      assertThat(jvm.finish())
          .contains("null", "cuBLASLt 13.2.0 null", "cuDNN 9.19.0 null", "NVRTC 13.2 null");
    }
    try (OtherJvm jvm = OtherJvm.start(options.subList(1, 2), Look.class, driver)) {
      assertThat(jvm.finish())
          .contains("libcudart.so.13 was not found in [" + driver + "]. Install it");
    }
  }

  @Test
  void aLibraryThatDoesNotLoadIsNamedAndTheOthersAreUsed()
      throws IOException, InterruptedException {
    CudaStubs.build(folder);
    Path builtins = folder.resolve("libnvrtc-builtins.so.13.2");
    Files.writeString(builtins, "not a library");
    try (OtherJvm jvm = OtherJvm.start(List.of(), Look.class, folder)) {
      assertThat(jvm.finish())
          .contains("cuBLASLt 13.2.0 null", "cuDNN 9.19.0 null")
          .contains("NVRTC null CUDA does not load: " + builtins);
    }
  }

  private static void pack(Path libraries, Path jar) throws IOException {
    try (OutputStream file = Files.newOutputStream(jar);
        JarOutputStream out = new JarOutputStream(file);
        var all = Files.list(libraries)) {
      for (Path library : all.toList()) {
        out.putNextEntry(new JarEntry(JAR_FOLDER + library.getFileName()));
        Files.copy(library, out);
        out.closeEntry();
      }
    }
  }

  /** Prints why there is no card, and each library. */
  static final class Look {
    private Look() {}

    public static void main(String[] arguments) {
      LibraryFiles ofMachine = LibraryFiles.ofMachine();
      LibraryFiles files =
          new LibraryFiles(List.of(Path.of(arguments[0])), ofMachine.onClassPath());
      CudaOptions options =
          new CudaOptions(false, Measuring.NOTHING, new KernelCache(null), operation -> -1);
      CudaCards cards = CudaCards.of(() -> new PresetLibraries(files), options);
      System.out.println(cards.reason());
      for (CudaLibrary library : cards.libraries()) {
        System.out.println(library.name() + " " + library.version() + " " + library.reason());
      }
    }
  }
}
