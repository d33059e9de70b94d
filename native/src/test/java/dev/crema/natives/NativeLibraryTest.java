package dev.crema.natives;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every test starts JVMs of its own, because a JVM loads a library once. */
class NativeLibraryTest {
  private static final int JVMS = 8;

  @TempDir private Path folder;

  private Jvm.Setup setup() {
    return new Jvm.Setup()
        .property("user.home", folder.resolve("home"))
        .property("java.io.tmpdir", folder.resolve("tmp"));
  }

  private Jvm.Setup cached() {
    return setup().property("crema.cache", folder.resolve("cache"));
  }

  @RepeatedTest(3)
  void eightJvmsStartingAtOnceOnAnEmptyCacheAllLoadIt() throws IOException {
    List<Jvm> jvms = new ArrayList<>();
    for (int i = 0; i < JVMS; i++) {
      jvms.add(cached().start("load"));
    }
    jvms.forEach(Jvm::go);
    for (Jvm jvm : jvms) {
      assertThat(jvm.finish()).startsWith("isa ").endsWith("exit 0");
    }
    assertThat(files())
        .extracting(path -> path.getFileName().toString())
        .containsExactlyInAnyOrder(library(), library() + ".seal");
  }

  @Test
  void theFirstCallFromManyThreadsAtOnceNeitherFailsNorHangs() {
    assertThat(cached().run("threads")).startsWith("isa ").endsWith("exit 0");
  }

  @Test
  void twoClassLoadersOfOneJvmLoadACopyEach() throws IOException {
    assertThat(cached().run("loaders").lines().filter(line -> line.startsWith("isa "))).hasSize(2);
    assertThat(files()).hasSize(4);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"truncated", "changed", "empty", "unsealed", "sealed with garbage", "gone"})
  void aDamagedCopyIsReplaced(String damage) throws IOException {
    assertThat(cached().run("load")).endsWith("exit 0");
    Path library = find(library());
    Path seal = find(library() + ".seal");
    byte[] good = Files.readAllBytes(library);
    switch (damage) {
      case "truncated" -> {
        try (RandomAccessFile file = new RandomAccessFile(library.toFile(), "rw")) {
          file.setLength(good.length / 2);
        }
      }
      case "changed" -> {
        byte[] bad = good.clone();
        bad[bad.length / 2] ^= 1;
        Files.write(library, bad);
      }
      case "empty" -> Files.write(library, new byte[0]);
      case "unsealed" -> Files.delete(seal);
      case "sealed with garbage" -> Files.write(seal, new byte[] {0, -1, 7});
      case "gone" -> Files.delete(library);
      default -> throw new IllegalArgumentException(damage);
    }
    Files.write(library.resolveSibling(library() + ".99999-0.tmp"), new byte[] {1});

    assertThat(cached().run("load")).startsWith("isa ").endsWith("exit 0");
    assertThat(library).hasBinaryContent(good);
    assertThat(files()).hasSize(2);
  }

  @Test
  void aCopyThatIsThereNeedsNoRightToWrite() throws IOException {
    assertThat(cached().run("load")).endsWith("exit 0");
    Path library = find(library());
    Files.delete(library.getParent().resolveSibling(library.getParent().getFileName() + ".lock"));
    assertThat(cached().run("load")).endsWith("exit 0");
    assertThat(folder.resolve("cache/crema")).isDirectoryNotContaining("glob:**.lock");
  }

  @Test
  void aPlaceThatCannotBeUsedGivesWayToTheNext() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    assertThat(setup().property("crema.cache", file).run("load")).endsWith("exit 0");
    assertThat(find(library())).startsWith(folder.resolve("home/.javacpp/cache/crema"));
  }

  @Test
  void theVariableAndJavaCppsFolderAreUsedToo() throws IOException {
    String places = folder.resolve("variable").toString();
    assertThat(setup().variable("CREMA_CACHE", places).run("load")).endsWith("exit 0");
    assertThat(find(library())).startsWith(folder.resolve("variable/crema"));
    Jvm.Setup javacpp =
        setup().property("org.bytedeco.javacpp.cachedir", folder.resolve("javacpp"));
    assertThat(javacpp.run("load")).endsWith("exit 0");
    assertThat(folder.resolve("javacpp/crema")).isNotEmptyDirectory();
  }

  @Test
  void whenNoPlaceWorksTheErrorNamesEachWithItsReasonAndTheSettingThatHelps() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    String output =
        new Jvm.Setup()
            .property("crema.cache", file.resolve("a"))
            .variable("CREMA_CACHE", file.resolve("b").toString())
            .property("user.home", file.resolve("c"))
            .property("java.io.tmpdir", file.resolve("d"))
            .run("load");
    assertThat(output)
        .contains("UnsatisfiedLinkError: Cannot load Crema's native library")
        .contains(file.resolve("a") + " (system property crema.cache): " + file + " is a file")
        .contains(file.resolve("b") + " (environment variable CREMA_CACHE): ")
        .contains(file.resolve("c/.javacpp/cache") + " (user.home): ")
        .contains("(java.io.tmpdir): ")
        .contains("system property crema.cache or environment variable CREMA_CACHE")
        .endsWith("exit 1");
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void aFolderInTheSharedTemporaryFolderThatOthersCanWriteIsNotTrusted() throws IOException {
    Path tmp = Files.createDirectory(folder.resolve("tmp"));
    Path file = Files.createFile(folder.resolve("file"));
    Path own = Files.createDirectory(tmp.resolve("crema-" + System.getProperty("user.name")));
    Files.setPosixFilePermissions(own, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThat(setup().property("user.home", file).run("load"))
        .contains("is not a folder of this user that others cannot write")
        .endsWith("exit 1");
    Files.setPosixFilePermissions(own, PosixFilePermissions.fromString("rwx------"));
    assertThat(setup().property("user.home", file).run("load")).endsWith("exit 0");
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void aFileThatMayNotGrowEndsInTheNextPlaceOrAClearError() {
    Jvm.Setup quota = cached().after("ulimit -f 16");
    assertThat(quota.run("load"))
        .contains("UnsatisfiedLinkError: Cannot load Crema's native library")
        .containsIgnoringCase("file too large")
        .endsWith("exit 1");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aFullDiskOrOneMountedNoexecGivesWayToTheNextPlace() throws Exception {
    for (String options : List.of("size=64k", "size=64m,noexec")) {
      Path disk = Files.createDirectories(folder.resolve("disk"));
      mount("mount", "-t", "tmpfs", "-o", options, "tmpfs", disk.toString());
      try {
        Jvm.Setup setup = setup().property("crema.cache", disk);
        assertThat(setup.run("load")).as(options).startsWith("isa ").endsWith("exit 0");
        assertThat(folder.resolve("home/.javacpp/cache/crema")).isNotEmptyDirectory();
        Jvm.Setup nowhereElse =
            new Jvm.Setup()
                .property("crema.cache", disk)
                .property("user.home", "/proc")
                .property("java.io.tmpdir", "/proc");
        assertThat(nowhereElse.run("load"))
            .as(options)
            .contains(disk + " (system property crema.cache): ")
            .containsPattern("No space left|does not load")
            .endsWith("exit 1");
      } finally {
        mount("umount", disk.toString());
      }
    }
  }

  private static void mount(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    Assumptions.assumeTrue(
        process.waitFor() == 0, "Skipped: mounting a small tmpfs is not permitted here: " + output);
  }

  @Test
  void aPlatformThatTheJarLacksIsNamedWithThoseItHas() {
    assertThat(cached().property("os.arch", "sparcv9").run("load"))
        .contains("Crema's native library for ")
        .contains("-sparcv9 is not on the class path; there is one for [")
        .contains("cmake and a C++ compiler")
        .endsWith("exit 1");
  }

  @Test
  void theInstructionSetAndTheThreadsCanBeSet() {
    assertThat(cached().variable("CREMA_ISA", "scalar").variable("CREMA_THREADS", "3").run("load"))
        .startsWith("isa scalar, threads 3");
    assertThat(cached().property("crema.isa", "scalar").property("crema.threads", 1).run("load"))
        .startsWith("isa scalar, threads 1");
    int processors = Runtime.getRuntime().availableProcessors();
    assertThat(cached().run("load")).contains("threads " + processors);
  }

  @Test
  void aWrongSettingIsAnErrorThatNamesWhatThereIs() {
    assertThat(cached().variable("CREMA_ISA", "sse9").run("load"))
        .contains("CREMA_ISA (or the system property crema.isa) is \"sse9\"")
        .contains("It has: scalar")
        .endsWith("exit 1");
    assertThat(cached().variable("CREMA_THREADS", "many").run("load"))
        .contains("CREMA_THREADS")
        .contains("\"many\": expected a number of threads from 1 to 1024")
        .endsWith("exit 1");
  }

  private static String library() {
    return System.mapLibraryName("jnicrema");
  }

  /** The files extracted, wherever. */
  private List<Path> files() throws IOException {
    try (Stream<Path> paths = Files.walk(folder)) {
      return paths
          .filter(Files::isRegularFile)
          .filter(path -> path.toString().contains("jnicrema-"))
          .filter(path -> !path.toString().endsWith(".lock"))
          .collect(Collectors.toList());
    }
  }

  private Path find(String name) throws IOException {
    return files().stream()
        .filter(path -> path.getFileName().toString().equals(name))
        .findFirst()
        .orElseThrow();
  }
}
