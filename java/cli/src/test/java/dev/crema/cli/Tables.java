package dev.crema.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Random;

/** Tables to learn from, written to a folder. */
final class Tables {
  private Tables() {}

  /** Prices as a file has them, beside dates, identifiers and texts that say nothing. */
  static Path houses(Path folder) throws IOException {
    Random random = new Random(4);
    StringBuilder csv = new StringBuilder("id;date;area;rooms;agent;price\n");
    for (int i = 0; i < 800; i++) {
      double area = 60 + 140 * random.nextDouble();
      int rooms = 1 + random.nextInt(6);
      double price = 50_000 + 2_000 * area + 10_000 * rooms + 5_000 * random.nextGaussian();
      csv.append(
          String.format(
              Locale.ROOT,
              "%d;2024-%02d-%02d;%.1f;%d;\"Agent %d; Sons\";%.0f%n",
              7_000_000_000L + 17 * i,
              1 + i % 12,
              1 + i % 28,
              area,
              rooms,
              i,
              price));
    }
    return Files.writeString(folder.resolve("houses.csv"), csv);
  }
}
