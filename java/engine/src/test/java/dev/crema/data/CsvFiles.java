package dev.crema.data;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** Writes the delimited files of a test and opens them. */
abstract class CsvFiles {
  static final String MIXED =
      """
      size,colour,label
      1,red,yes
      3,blue,no
      ,red,no
      5,,yes
      """;

  @TempDir Path dir;

  Path file(String text) {
    return file("data.csv", text.getBytes(StandardCharsets.UTF_8));
  }

  Path file(String name, byte[] bytes) {
    try {
      return Files.write(dir.resolve(name), bytes);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  LoadedData open(String text) {
    return Csv.open(file(text), DataOptions.defaults());
  }

  static TablePreprocessing table(LoadedData data) {
    return (TablePreprocessing) data.preprocessing();
  }

  /** Rows with a number, a category of five and a label of two classes. */
  static String numbered(int rows) {
    StringBuilder text = new StringBuilder("x,colour,label\n");
    for (int i = 0; i < rows; i++) {
      text.append(i * 1.5).append(',').append("c").append(i % 5).append(',');
      text.append(i % 4 == 0 ? "rare" : "often").append('\n');
    }
    return text.toString();
  }
}
