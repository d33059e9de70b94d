package dev.crema.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.io.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;

/** Runs commands as a terminal would, for tests. */
final class CommandRun {
  private CommandRun() {}

  record Result(int code, String out, String err) {
    JsonNode json() {
      return Json.parse(out, "standard output");
    }
  }

  static Result run(String... args) {
    return run(new ByteArrayOutputStream(), args);
  }

  /**
   * @param outBytes where standard output goes
   */
  static Result run(ByteArrayOutputStream outBytes, String... args) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(outBytes, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(errBytes, true, StandardCharsets.UTF_8));
      int code = Main.execute(args);
      return new Result(
          code,
          outBytes.toString(StandardCharsets.UTF_8),
          errBytes.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  /** A command line and more of it. */
  static String[] with(String[] args, String... more) {
    return Stream.concat(Stream.of(args), Stream.of(more)).toArray(String[]::new);
  }

  /** Two classes that a line parts, one of the columns a category. */
  static Path flowers(Path folder) throws IOException {
    Random random = new Random(1);
    StringBuilder csv = new StringBuilder("width,colour,height,class\n");
    for (int i = 0; i < 400; i++) {
      double width = random.nextGaussian();
      double height = random.nextGaussian();
      boolean red = random.nextBoolean();
      String label = width + (red ? 1 : -1) > height ? "rose" : "tulip";
      csv.append(
          String.format(
              Locale.ROOT, "%.4f,%s,%.4f,%s%n", width, red ? "red" : "blue", height, label));
    }
    return Files.writeString(folder.resolve("flowers.csv"), csv);
  }
}
