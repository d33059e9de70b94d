package dev.crema.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The Java in README.md and in serving's own compiles without a warning and runs, each block in a
 * JVM of its own.
 */
class ReadmeTest {
  private static final int MINUTES = 5;
  private static final Pattern BLOCK = Pattern.compile("(?ms)^```java\n(.*?)^```$");
  private static final Pattern CLASS = Pattern.compile("(?m)^(?:public )?(?:final )?class (\\w+)");

  private static final String IMPORTS =
      """
      import dev.crema.data.*;
      import dev.crema.nn.*;
      import dev.crema.serving.*;
      import dev.crema.serving.batching.*;
      import dev.crema.serving.repository.*;
      import dev.crema.train.*;
      import java.nio.file.Path;
      import java.util.*;
      """;

  /** What stands before a fragment, by the first thing that only it has: its variables. */
  private static final Map<String, String> BEFORE =
      Map.of(
          "loss(\"digit\"",
          """
          Symbol image = Symbol.input("image", 28, 28, 1);
          Symbol flat = new Flatten().apply(image);
          Symbol digit = Dense.of(10, Activation.SOFTMAX).named("digit", flat);
          Symbol angle = Dense.of(1).named("angle", flat);
          Model model = Model.of(List.of(image), List.of(digit, angle), 1);
          int n = 64;
          float[] pixels = new float[n * 28 * 28];
          int[] digits = new int[n];
          float[] angles = new float[n];
          """,
          "digits.predict(image)",
          """
          float[] image = new float[28 * 28];
          """);

  @TempDir private Path folder;

  static List<String> blocks() throws IOException {
    Path readme = Path.of("").toAbsolutePath();
    while (!Files.exists(readme.resolve("README.md"))) {
      readme = readme.getParent(); // from the module up to the root
    }
    List<String> blocks = new ArrayList<>();
    for (String file : List.of("README.md", "java/serving/README.md")) {
      Matcher matcher = BLOCK.matcher(Files.readString(readme.resolve(file)));
      while (matcher.find()) {
        blocks.add(matcher.group(1));
      }
    }
    return blocks;
  }

  @Test
  void thereIsJavaInIt() throws IOException {
    assertThat(blocks()).hasSizeGreaterThan(1).anyMatch(block -> block.contains("void main("));
  }

  @ParameterizedTest
  @MethodSource("blocks")
  void everyBlockCompilesAndRuns(String block) throws IOException, InterruptedException {
    Matcher named = CLASS.matcher(block);
    boolean whole = named.find();
    String name = whole ? named.group(1) : "Fragment";
    compile(name, whole ? block : wrapped(block));
    if (block.contains("ModelRepository")) {
      saveDigits();
    }
    run(name);
  }

  /** What `crema train --out models/digits/1` leaves, where the block looks for it. */
  private void saveDigits() {
    try (Model model = Model.sequential(28 * 28).dense(10, Activation.SOFTMAX).build(1)) {
      model.save(folder.resolve("models").resolve("digits").resolve("1"));
    }
  }

  private static String wrapped(String fragment) {
    String before =
        BEFORE.entrySet().stream()
            .filter(entry -> fragment.contains(entry.getKey()))
            .map(Map.Entry::getValue)
            .findFirst()
            .orElse("");
    return IMPORTS
        + "class Fragment {\n  public static void main(String[] args) throws Exception {\n"
        + before
        + fragment
        + "\n  }\n}\n";
  }

  private void compile(String name, String source) throws IOException {
    Path file = Files.writeString(folder.resolve(name + ".java"), source);
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter said = new StringWriter();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
      List<String> options =
          List.of(
              "-Xlint:all,-path,-classfile,-processing",
              "-Werror",
              "-proc:none",
              "-cp",
              classPath(),
              "-d",
              "" + folder);
      boolean compiled =
          compiler.getTask(said, files, null, options, null, files.getJavaFileObjects(file)).call();
      assertThat(compiled).as(() -> said + "\n" + source).isTrue();
    }
  }

  private void run(String name) throws IOException, InterruptedException {
    Path log = folder.resolve("log");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                classPath() + File.pathSeparator + folder,
                name)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    try {
      assertThat(process.waitFor(MINUTES, TimeUnit.MINUTES)).as("it ends").isTrue();
      String said = Files.readString(log, StandardCharsets.UTF_8);
      assertThat(process.exitValue()).as(said).isZero();
    } finally {
      process.destroyForcibly();
    }
  }

  private static String classPath() {
    String own = System.getProperty("java.class.path");
    return Stream.of(
            System.getProperty("surefire.test.class.path", own)
                .split(Pattern.quote(File.pathSeparator)))
        .map(entry -> Path.of(entry).toAbsolutePath().toString())
        .reduce((a, b) -> a + File.pathSeparator + b)
        .orElseThrow();
  }
}
