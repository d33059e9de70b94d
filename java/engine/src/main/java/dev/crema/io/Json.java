package dev.crema.io;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.SequenceWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.crema.CremaException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * JSON as Crema reads and writes it everywhere: strict RFC 8259 in UTF-8. Refused: duplicate keys,
 * anything after the document, comments, bare {@code NaN} (a float that is not finite is written
 * and read as the string {@code "NaN"}, {@code "Infinity"}), text for numbers, fractions for
 * integers, unknown or missing primitive properties, nesting deeper than {@value #MAX_DEPTH},
 * documents over {@value #MAX_BYTES} bytes. Thread-safe.
 */
public final class Json {
  /** Deeper than any topology; shallow enough for every thread's stack. */
  public static final int MAX_DEPTH = 200;

  /** Longest document: a history of a million epochs fits. */
  public static final int MAX_BYTES = 64 << 20;

  private static final JsonMapper MAPPER =
      JsonMapper.builder(factory())
          .enable(
              DeserializationFeature.FAIL_ON_TRAILING_TOKENS,
              DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY,
              DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES,
              DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .build();

  // Fixed line ends: the same content gives the same bytes on every system.
  private static final ObjectWriter WRITER =
      MAPPER.writer(new DefaultPrettyPrinter().withObjectIndenter(new DefaultIndenter("  ", "\n")));

  private Json() {}

  private static JsonFactory factory() {
    return new JsonFactoryBuilder()
        .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
        .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
        .disable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
        .enable(JsonWriteFeature.WRITE_NAN_AS_STRINGS)
        .streamReadConstraints(
            StreamReadConstraints.builder()
                .maxNestingDepth(MAX_DEPTH)
                .maxNumberLength(400)
                .maxNameLength(10_000)
                .maxStringLength(MAX_BYTES)
                .maxDocumentLength(MAX_BYTES)
                .build())
        .build();
  }

  /**
   * Writes an array whose elements come one by one, as {@link #bytes} would write it whole. Closing
   * the result ends the array and closes {@code out}.
   */
  public static SequenceWriter elements(Writer out) throws IOException {
    return WRITER.writeValuesAsArray(out);
  }

  /**
   * The shared mapper, for building nodes and for {@code convertValue}. Do not reconfigure it;
   * {@code copy()} it.
   */
  public static JsonMapper mapper() {
    return MAPPER;
  }

  /**
   * The document in a file.
   *
   * @throws CremaException naming file, line and column if it cannot be read or is not strict JSON
   */
  public static JsonNode read(Path file) {
    return read(file, JsonNode.class);
  }

  /**
   * The document in a file as a record or other type that Jackson can build.
   *
   * @throws CremaException naming file, line and column if it cannot be read, is not strict JSON or
   *     does not fit {@code type}
   */
  public static <T> T read(Path file, Class<T> type) {
    try (FileRange range = FileRange.open(file)) {
      return read(range.stream(), file.toString(), type);
    } catch (IOException e) {
      throw FileErrors.cannotRead(file, e);
    }
  }

  /** The document in {@code text}; {@code where} names its origin in errors. */
  public static JsonNode parse(String text, String where) {
    return read(Content.of(text).toStream(), where, JsonNode.class);
  }

  /**
   * The document in a stream, which this reads to its end and closes.
   *
   * @param where what to call the stream in errors
   * @throws CremaException naming {@code where}, line and column
   */
  public static <T> T read(InputStream in, String where, Class<T> type) {
    // A strict decoder of our own: Jackson would guess UTF-16 and UTF-32 from the first bytes.
    try (Reader text = new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder());
        JsonParser parser = MAPPER.createParser(text)) {
      T value = parser.nextToken() == null ? null : MAPPER.readValue(parser, type);
      if (value == null) {
        throw new CremaException(where + " is empty or null; expected a JSON document");
      }
      return value;
    } catch (JsonProcessingException e) {
      throw invalid(where, e);
    } catch (CharacterCodingException e) {
      throw new CremaException(where + " is not UTF-8 text; expected a JSON document", e);
    } catch (IOException e) {
      throw new CremaException("Cannot read " + where + ": " + FileErrors.reason(e), e);
    }
  }

  /** The indented document in UTF-8, ended by a line feed. The same value gives the same bytes. */
  public static byte[] bytes(Object value) {
    try {
      byte[] json = WRITER.writeValueAsBytes(value);
      ByteBuffer line = ByteBuffer.allocate(json.length + 1).put(json).put((byte) '\n');
      return line.array();
    } catch (JsonProcessingException e) {
      throw new CremaException("Cannot write as JSON: " + e.getOriginalMessage(), e);
    }
  }

  /** Writes {@link #bytes} to a file, atomically: see {@link AtomicFiles#write}. */
  public static void write(Path file, Object value) {
    AtomicFiles.write(file, Content.of(bytes(value)));
  }

  static CremaException invalid(String where, JacksonException e) {
    JsonLocation at = e.getLocation();
    String place = at == null ? "" : ", line " + at.getLineNr() + ", column " + at.getColumnNr();
    return new CremaException(where + place + ": " + firstLine(e.getOriginalMessage()), e);
  }

  private static String firstLine(String message) {
    String line = message.lines().findFirst().orElse("invalid JSON");
    return line.length() <= 300 ? line : line.substring(0, 300) + "…";
  }
}
