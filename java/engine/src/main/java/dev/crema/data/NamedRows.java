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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

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
  private long line;

  private NamedRows(
      InputStream in,
      String name,
      MappingIterator<JsonNode> objects,
      CsvScanner records,
      List<String> columns) {
    this.in = in;
    this.name = name;
    this.objects = objects;
    this.records = records;
    this.columns = columns;
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
        return new NamedRows(buffered, name, objects, null, List.of());
      }
      byte[] sample = buffered.readNBytes(SAMPLE_BYTES);
      CsvFormat format = format(sample, name, preprocessing, options);
      InputStream all = new SequenceInputStream(new ByteArrayInputStream(sample), buffered);
      CsvScanner scanner = new CsvScanner(all, name, format.delimiter());
      if (format.header()) {
        scanner.next();
      }
      return new NamedRows(all, name, null, scanner, format.names());
    } catch (IOException e) {
      throw InputFiles.unreadable(name, e);
    }
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
    return new CsvFormat(bare.delimiter(), false, columns, bare.decimal());
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
      row.put(columns.get(i), records.text(i));
    }
    return row;
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
      row.put(key, value.isNull() ? "" : value.asText());
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
