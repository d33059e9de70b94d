package dev.crema.data;

import dev.crema.CremaException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Finds out from the first 256 KB how a delimited file is written. */
final class CsvSniffer {
  private static final int SAMPLE_BYTES = 1 << 18;
  private static final int SAMPLE_ROWS = 1000;
  private static final List<Dates> DATES =
      Arrays.stream(DateOrder.values()).map(Dates::new).toList();
  private static final char[] DELIMITERS = {',', ';', '\t', '|'};

  private CsvSniffer() {}

  static CsvFormat sniff(Path file, DataOptions options) {
    return sniff(file, options, options.header());
  }

  /**
   * @param header whether there is one; null: found out
   */
  static CsvFormat sniff(Path file, DataOptions options, Boolean header) {
    try (InputFiles.Input in = InputFiles.open(file)) {
      return sniff(in.stream().readNBytes(SAMPLE_BYTES), file.toString(), options, header);
    } catch (IOException e) {
      throw InputFiles.unreadable(file.toString(), e);
    }
  }

  static CsvFormat sniff(byte[] raw, String name, DataOptions options, Boolean forced) {
    Charset charset = TextEncoding.of(raw);
    byte[] sample = TextEncoding.toUtf8(raw, charset);
    requireText(sample, name);
    char delimiter = options.delimiter() == null ? delimiter(sample) : options.delimiter();
    if (delimiter <= ' ' && delimiter != '\t' || delimiter == '"' || delimiter > 127) {
      throw new CremaException(
          "A delimiter is one visible ASCII character or a tab, got \"" + delimiter + '"');
    }
    List<List<String>> rows = rows(sample, delimiter);
    if (rows.isEmpty()) {
      throw new CremaException(name + " has no rows");
    }
    List<String> first = rows.get(0);
    List<List<String>> rest =
        rows.subList(1, rows.size()).stream().filter(r -> r.size() == first.size()).toList();
    boolean header = forced == null ? isHeader(first, rest) : forced;
    return new CsvFormat(
        delimiter, header, names(first, header), decimal(delimiter, header ? rest : rows), charset);
  }

  private static void requireText(byte[] sample, String name) {
    if (sample.length == 0) {
      throw new CremaException(name + " is empty");
    }
    for (int i = 0; i < sample.length; i++) {
      if (sample[i] == 0) {
        throw new CremaException(
            name
                + " is not a text file in UTF-8: byte "
                + i
                + " is zero. Convert it if it is UTF-16.");
      }
    }
  }

  /** The delimiter that cuts most rows into as many fields as the first one, at least two. */
  private static char delimiter(byte[] sample) {
    char best = ',';
    double most = 0;
    for (char delimiter : DELIMITERS) {
      List<List<String>> rows = rows(sample, delimiter);
      int fields = rows.isEmpty() ? 0 : rows.get(0).size();
      long alike = rows.stream().filter(r -> r.size() == fields).count();
      // Agreement decides; among equals, the one that finds more columns.
      double score = fields < 2 ? 0 : (double) alike / rows.size() + 1e-6 * Math.min(fields, 1000);
      if (score > most) {
        most = score;
        best = delimiter;
      }
    }
    return best;
  }

  private static List<List<String>> rows(byte[] sample, char delimiter) {
    List<List<String>> rows = new ArrayList<>();
    try (CsvScanner scanner =
        new CsvScanner(new ByteArrayInputStream(sample), "sample", delimiter)) {
      while (rows.size() < SAMPLE_ROWS) {
        try {
          if (!scanner.next()) {
            return rows.size() > 1 && sample.length >= SAMPLE_BYTES
                ? rows.subList(0, rows.size() - 1)
                : rows;
          }
          List<String> row = new ArrayList<>();
          for (int i = 0; i < scanner.fields(); i++) {
            row.add(scanner.text(i));
          }
          rows.add(row);
        } catch (CremaException e) {
          rows.add(List.of());
        }
      }
    }
    return rows;
  }

  /**
   * Names are texts, all different. They are a header if a column below holds numbers, if one is
   * named like a label, or if none of them comes again below.
   */
  private static boolean isHeader(List<String> first, List<List<String>> rest) {
    boolean labelled = first.stream().anyMatch(CsvFormat::isLabelName);
    Set<String> seen = new HashSet<>();
    for (String name : first) {
      if (!seen.add(name) && !name.isEmpty() || isNumber(name) && !labelled) {
        return false;
      }
    }
    if (labelled) {
      return true;
    }
    for (int c = 0; c < first.size(); c++) {
      for (List<String> row : rest) {
        if (isNumber(row.get(c))) {
          return true;
        }
      }
    }
    return !rest.isEmpty() && rest.stream().noneMatch(row -> row.stream().anyMatch(seen::contains));
  }

  private static boolean isNumber(String text) {
    return Figures.match(text, '.') != null
        || Figures.match(text, ',') != null
        || !Double.isNaN(Numbers.parse(text.replace(',', '.')))
        || DATES.stream().anyMatch(dates -> !Double.isNaN(dates.parse(text)));
  }

  private static List<String> names(List<String> first, boolean header) {
    List<String> names = new ArrayList<>();
    Set<String> used = new HashSet<>();
    for (int i = 0; i < first.size(); i++) {
      String base = header && !first.get(i).isEmpty() ? first.get(i) : "c" + i;
      String name = base;
      for (int n = 2; !used.add(name); n++) {
        name = base + "_" + n;
      }
      names.add(name);
    }
    return names;
  }

  /**
   * A comma where it can't be the delimiter and numbers are written with it, as "3,14" and
   * "1.234.567" are. Of "3,141", which could be either, only files with semicolons have a comma:
   * they have them because the comma was taken.
   */
  private static char decimal(char delimiter, List<List<String>> rows) {
    if (delimiter == ',') {
      return '.';
    }
    long points = 0;
    long commas = 0;
    boolean either = false;
    for (List<String> row : rows) {
      for (String field : row) {
        if (field.indexOf('.') < 0 && field.indexOf(',') < 0) {
          continue;
        }
        boolean point = Figures.match(field, '.') != null;
        boolean comma = Figures.match(field, ',') != null;
        points += point && !comma ? 1 : 0;
        commas += comma && !point ? 1 : 0;
        either |= point && comma && field.indexOf(',') >= 0;
      }
    }
    return commas > points || points == 0 && either && delimiter == ';' ? ',' : '.';
  }

  /**
   * The ways in which each column's texts could be numbers, the likeliest first: plain numbers with
   * the file's decimal point always, and those that read more of the sample than they do.
   */
  static List<List<Reading>> readings(Path file, CsvFormat format) {
    List<List<String>> rows;
    try (InputFiles.Input in = InputFiles.open(file)) {
      byte[] sample = in.stream().readNBytes(SAMPLE_BYTES);
      rows = rows(TextEncoding.toUtf8(sample, format.charset()), format.delimiter());
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
      readings.add(readings(texts, format.decimal()));
    }
    return readings;
  }

  private static List<Reading> readings(List<String> texts, char decimal) {
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
