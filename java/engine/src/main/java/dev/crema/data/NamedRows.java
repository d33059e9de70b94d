package dev.crema.data;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.crema.CremaException;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Rows of named values to predict for, one after the other: delimited text, or JSON objects (one a
 * line, or in one array). An array of numbers in an object, such as {@code {"x": [1, 2]}}, gives
 * one value for each. Not thread-safe.
 */
public final class NamedRows implements AutoCloseable {
  private static final int SAMPLE_BYTES = 1 << 18;

  private final InputStream in;
  private final String name;
  private final MappingIterator<JsonNode> objects;
  private final CsvScanner records;
  private final List<String> columns;

  /** Columns of numbers whose texts here are to be written with a point. */
  private final Set<String> rewritten;

  private long line;

  private NamedRows(
      InputStream in,
      String name,
      MappingIterator<JsonNode> objects,
      CsvScanner records,
      List<String> columns,
      Set<String> rewritten) {
    this.in = in;
    this.name = name;
    this.objects = objects;
    this.records = records;
    this.columns = columns;
    this.rewritten = rewritten;
  }

  /** Opens a file; the caller closes it. */
  public static NamedRows open(Path file, Preprocessing preprocessing, DataOptions options) {
    try {
      return open(Files.newInputStream(file), file.toString(), preprocessing, options);
    } catch (IOException e) {
      throw InputFiles.unreadable(file.toString(), e);
    }
  }

  /** Whether a file holds JSON objects, which {@link Datasets} does not read. */
  public static boolean isJson(Path file) {
    if (Files.isDirectory(file)) {
      return false;
    }
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
      return startsLikeJson(in);
    } catch (IOException e) {
      throw InputFiles.unreadable(file.toString(), e);
    }
  }

  /**
   * Opens a stream, which is closed with this. Objects are told by their first character.
   *
   * @param name of the stream, for messages
   * @param preprocessing names the columns of delimited text without a header
   */
  public static NamedRows open(
      InputStream raw, String name, Preprocessing preprocessing, DataOptions options) {
    try {
      InputStream in = InputFiles.open(raw, Long.MAX_VALUE / 2048, name).stream();
      BufferedInputStream buffered = new BufferedInputStream(in, SAMPLE_BYTES);
      if (startsLikeJson(buffered)) {
        MappingIterator<JsonNode> objects =
            new ObjectMapper().readerFor(JsonNode.class).readValues(buffered);
        Set<String> grouped = numbers(preprocessing, f -> f != null && f.decimal() == ',');
        return new NamedRows(buffered, name, objects, null, List.of(), grouped);
      }
      byte[] sample = buffered.readNBytes(SAMPLE_BYTES);
      CsvFormat format = format(sample, name, preprocessing, options);
      InputStream all = new SequenceInputStream(new ByteArrayInputStream(sample), buffered);
      InputStream text = TextEncoding.toUtf8(all, format.charset());
      CsvScanner scanner = new CsvScanner(text, name, format.delimiter());
      if (format.header()) {
        scanner.next();
      }
      Set<String> comma =
          format.decimal() == ',' ? numbers(preprocessing, Objects::isNull) : Set.of();
      return new NamedRows(text, name, null, scanner, format.names(), comma);
    } catch (IOException e) {
      throw InputFiles.unreadable(name, e);
    }
  }

  /** Columns of numbers that the training file wrote in some way. */
  private static Set<String> numbers(Preprocessing preprocessing, Predicate<Figures> written) {
    Set<String> names = new HashSet<>();
    if (preprocessing instanceof TablePreprocessing table) {
      for (TablePreprocessing.Column column : table.columns()) {
        if (column instanceof TablePreprocessing.Numeric n && written.test(n.figures())) {
          names.add(n.name());
        }
      }
    }
    return names;
  }

  private static boolean startsLikeJson(InputStream in) throws IOException {
    in.mark(64);
    int c = in.read();
    for (int i = 1; i < 60 && (c <= ' ' && c >= 0 || c == 0xEF || c == 0xBB || c == 0xBF); i++) {
      c = in.read();
    }
    in.reset();
    return c == '{' || c == '[';
  }

  private static CsvFormat format(
      byte[] sample, String name, Preprocessing preprocessing, DataOptions options) {
    if (!(preprocessing instanceof TablePreprocessing table)) {
      return CsvSniffer.sniff(sample, name, options, options.header());
    }
    CsvFormat named = CsvSniffer.sniff(sample, name, options, true);
    if (table.header() && table.fileColumns().stream().anyMatch(n -> named.find(n) >= 0)) {
      return named;
    }
    CsvFormat bare = CsvSniffer.sniff(sample, name, options, false);
    List<String> columns = table.fileColumns();
    int found = bare.names().size();
    if (found == table.columns().size()) {
      columns = table.columns().stream().map(TablePreprocessing.Column::name).toList();
    } else if (found != columns.size()) {
      throw new CremaException(
          name
              + " has "
              + found
              + " columns and no header that the model knows; the model was trained with "
              + columns);
    }
    return new CsvFormat(bare.delimiter(), false, columns, bare.decimal(), bare.charset());
  }

  /**
   * The next row, its values in the order of the file; null at the end.
   *
   * @throws CremaException naming line and column if it can't be read
   */
  public Map<String, String> next() {
    return objects != null ? nextObject() : nextRecord();
  }

  /** Line of the last row, from 1. */
  public long line() {
    return line;
  }

  private Map<String, String> nextRecord() {
    if (!records.next()) {
      return null;
    }
    line = records.line();
    if (records.fields() != columns.size()) {
      throw new CremaException(
          records.where(line, Math.min(records.fields(), columns.size()))
              + ": expected "
              + columns.size()
              + " columns, found "
              + records.fields());
    }
    Map<String, String> row = new LinkedHashMap<>();
    for (int i = 0; i < columns.size(); i++) {
      String column = columns.get(i);
      row.put(column, rewritten.contains(column) ? withPoint(records.text(i)) : records.text(i));
    }
    return row;
  }

  /** A number that the file writes with a decimal comma; other texts as they are. */
  private static String withPoint(String text) {
    byte[] b = text.getBytes(StandardCharsets.UTF_8);
    boolean number = !Double.isNaN(Numbers.parse(b, 0, b.length, (byte) ','));
    return number ? text.replace(',', '.') : text;
  }

  private Map<String, String> nextObject() {
    try {
      if (!objects.hasNextValue()) {
        return null;
      }
      line = objects.getParser().currentTokenLocation().getLineNr();
      JsonNode value = objects.nextValue();
      if (!value.isObject()) {
        throw new CremaException(name + ", line " + line + ": expected an object, {…}");
      }
      Map<String, String> row = new LinkedHashMap<>();
      for (Map.Entry<String, JsonNode> member : value.properties()) {
        put(member.getKey(), member.getValue(), row);
      }
      return row;
    } catch (JacksonException e) {
      JsonLocation at = e.getLocation();
      throw new CremaException(
          name
              + (at == null ? "" : ", line " + at.getLineNr() + ", column " + at.getColumnNr())
              + ": not JSON: "
              + e.getOriginalMessage(),
          e);
    } catch (IOException e) {
      throw InputFiles.unreadable(name, e);
    }
  }

  private void put(String key, JsonNode value, Map<String, String> row) {
    if (value.isArray()) {
      for (int i = 0; i < value.size(); i++) {
        put(key + "[" + i + "]", value.get(i), row);
      }
    } else if (value.isObject()) {
      throw new CremaException(
          name + ", line " + line + ": " + key + " is an object; values are numbers or texts");
    } else {
      boolean pointed = value.isFloatingPointNumber() && rewritten.contains(key);
      String text = value.isNull() ? "" : value.asText();
      row.put(key, pointed ? Figures.unambiguous(text) : text);
    }
  }

  @Override
  public void close() {
    try {
      in.close();
    } catch (IOException e) {
      throw InputFiles.unreadable(name, e);
    }
  }
}
