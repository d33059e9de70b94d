package dev.crema.data;

import dev.crema.CremaException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Finds out from the first 256 KB how a delimited file is written. */
final class CsvSniffer {
  static final int SAMPLE_BYTES = 1 << 18;
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
    boolean header = forced == null ? isHeader(first, rest, options.label()) : forced;
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

  static List<List<String>> rows(byte[] sample, char delimiter) {
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
   * named like a label, or if none of them comes again below. The row with the name of the user's
   * label is a header in any case; one with a word such as "class" also where names come twice.
   *
   * @param label that the user names, or its number; null: none
   */
  private static boolean isHeader(List<String> first, List<List<String>> rest, String label) {
    if (label != null && !isNumber(label) && first.contains(label)) {
      return true;
    }
    boolean labelled = first.stream().anyMatch(CsvFormat::isLabelName);
    boolean worded = first.stream().anyMatch(n -> n.length() > 1 && CsvFormat.isLabelName(n));
    Set<String> seen = new HashSet<>();
    for (String name : first) {
      boolean again = !seen.add(name) && !name.isEmpty();
      if (again && !worded || isNumber(name) && !labelled) {
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
}
