package dev.crema.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;

/** Where was measured. */
public record Machine(String date, String processor, int processors, String system, String java) {
  private static final Path CPUINFO = Path.of("/proc/cpuinfo");

  /** This machine, today. */
  public static Machine here() {
    return new Machine(
        LocalDate.now().toString(),
        processorName(),
        Runtime.getRuntime().availableProcessors(),
        System.getProperty("os.name") + " " + System.getProperty("os.version"),
        System.getProperty("java.version"));
  }

  private static String processorName() {
    try {
      if (Files.isReadable(CPUINFO)) {
        return Files.readAllLines(CPUINFO).stream()
            .filter(line -> line.startsWith("model name"))
            .map(line -> line.substring(line.indexOf(':') + 1).strip())
            .findFirst()
            .orElse(System.getProperty("os.arch"));
      }
    } catch (IOException e) {
      return System.getProperty("os.arch"); // a name for people only
    }
    return System.getProperty("os.arch");
  }
}
