package dev.crema.data;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Finds out from the first rows of a delimited file how its columns' texts could be numbers. */
final class CsvReadings {
  private CsvReadings() {}

  /**
   * The ways in which each column's texts could be numbers, the likeliest first: plain numbers with
   * the file's decimal point always, and those that read more of the sample than they do.
   */
  static List<List<Reading>> of(Path file, CsvFormat format) {
    List<List<String>> rows;
    try (InputFiles.Input in = InputFiles.open(file)) {
      byte[] sample = in.stream().readNBytes(CsvSniffer.SAMPLE_BYTES);
      rows = CsvSniffer.rows(TextEncoding.toUtf8(sample, format.charset()), format.delimiter());
    } catch (IOException e) {
      throw InputFiles.unreadable(file.toString(), e);
    }
    List<List<Reading>> readings = new ArrayList<>();
    for (int c = 0; c < format.names().size(); c++) {
      List<String> texts = new ArrayList<>();
      for (List<String> row : rows.subList(format.header() ? 1 : 0, rows.size())) {
        if (row.size() > c) {
          texts.add(row.get(c));
        }
      }
      readings.add(of(texts, format.decimal()));
    }
    return readings;
  }

  private static List<Reading> of(List<String> texts, char decimal) {
    Reading usual = new Figures(decimal, "");
    List<String> unread = texts.stream().filter(t -> !reads(usual, t)).toList();
    if (unread.isEmpty()) {
      return List.of(usual);
    }
    char other = decimal == '.' ? ',' : '.';
    String sign = sign(unread);
    List<Reading> candidates = new ArrayList<>();
    if (!sign.isEmpty()) {
      candidates.add(new Figures(decimal, sign));
    }
    candidates.add(new Figures(other, sign));
    candidates.addAll(orders(unread).stream().map(Dates::new).toList());
    long known = texts.size() - unread.size();
    candidates.removeIf(r -> texts.stream().filter(t -> reads(r, t)).count() <= known);
    candidates.add(0, usual);
    return candidates;
  }

  private static boolean reads(Reading reading, String text) {
    byte[] b = text.getBytes(StandardCharsets.UTF_8);
    return !Double.isNaN(reading.parse(b, 0, b.length));
  }

  /** The first sign beside a number, "" if there is none. */
  private static String sign(List<String> texts) {
    for (String text : texts) {
      for (char decimal : new char[] {'.', ','}) {
        Figures.Match match = Figures.match(text, decimal);
        if (match != null && !match.sign().isEmpty()) {
          return match.sign();
        }
      }
    }
    return "";
  }

  /**
   * Orders of day, month and year. Where the values don't tell, dates with slashes are taken for
   * American ones, which have the month first, and others for European ones.
   */
  private static List<DateOrder> orders(List<String> texts) {
    boolean slashes = texts.stream().anyMatch(t -> t.matches("\\d+/\\d+/.*"));
    return slashes
        ? List.of(DateOrder.YEAR_MONTH_DAY, DateOrder.MONTH_DAY_YEAR, DateOrder.DAY_MONTH_YEAR)
        : List.of(DateOrder.YEAR_MONTH_DAY, DateOrder.DAY_MONTH_YEAR, DateOrder.MONTH_DAY_YEAR);
  }
}
