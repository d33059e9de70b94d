package dev.crema.io;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import dev.crema.CremaException;
import dev.crema.memory.Shape;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads and checks a safetensors header without trusting a byte of it. It is parsed as a stream, so
 * that memory grows with the tensors found, at most {@link #MAX_TENSORS}, never with a number that
 * the file claims.
 */
final class SafetensorsHeader {
  /** The limit of the format's reference reader. */
  static final long MAX_LENGTH = 100_000_000;

  /** A hundred times what the largest published files hold; some 100 MB of heap. */
  static final int MAX_TENSORS = 250_000;

  static final String METADATA = "__metadata__";

  // No interning of names: a hostile file must not fill tables that outlive it.
  private static final JsonFactory JSON =
      new JsonFactoryBuilder()
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(16)
                  .maxNumberLength(40)
                  .maxNameLength(4096)
                  .maxStringLength((int) MAX_LENGTH)
                  .build())
          .build();

  private final String where;
  private final long dataSize;
  private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();

  private SafetensorsHeader(String where, long dataSize) {
    this.where = where;
    this.dataSize = dataSize;
  }

  /**
   * @param tensors by name, in the order of their data; immutable
   * @param metadata immutable
   * @param dataStart first byte after the header
   */
  record Parsed(Map<String, TensorInfo> tensors, Map<String, String> metadata, long dataStart) {}

  static Parsed read(FileRange file, String where) throws IOException {
    if (file.size() < 8) {
      throw new CremaException(
          where + " is no safetensors file: expected at least 8 bytes, got " + file.size());
    }
    ByteBuffer prefix = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    file.read(0, prefix);
    long length = prefix.getLong(0);
    if (length < 2 || length > MAX_LENGTH || length > file.size() - 8) {
      throw new CremaException(
          where
              + " is no whole safetensors file: its header should have "
              + Long.toUnsignedString(length)
              + " bytes; expected 2 to "
              + Math.min(MAX_LENGTH, file.size() - 8)
              + ". Copy it again from its source.");
    }
    long dataStart = 8 + length;
    var header = new SafetensorsHeader(where, file.size() - dataStart);
    FileRange json = file.slice(8, length);
    header.parse(json);
    return new Parsed(
        header.inDataOrder(), Collections.unmodifiableMap(header.metadata), dataStart);
  }

  private void parse(FileRange json) throws IOException {
    ByteBuffer first = ByteBuffer.allocate(1);
    json.read(0, first);
    if (first.get(0) != '{') {
      throw new CremaException(where + ": the header does not begin with '{'");
    }
    // A strict decoder of our own: Jackson would guess UTF-16 and UTF-32 from the first bytes.
    try (Reader text = new InputStreamReader(json.stream(), StandardCharsets.UTF_8.newDecoder());
        JsonParser p = JSON.createParser(text)) {
      p.nextToken();
      while (p.nextToken() != JsonToken.END_OBJECT) {
        String name = name(p);
        JsonToken value = p.nextToken();
        if (name.equals(METADATA)) {
          metadata(p, value);
        } else {
          tensor(p, value, name);
        }
      }
      if (p.nextToken() != null) {
        throw broken(p, "expected only spaces after the closing brace");
      }
    } catch (JacksonException e) {
      throw Json.invalid(where + ": header", e);
    } catch (CharacterCodingException e) {
      throw new CremaException(where + ": the header is not UTF-8 text", e);
    }
  }

  private String name(JsonParser p) throws IOException {
    if (p.currentToken() != JsonToken.FIELD_NAME) {
      throw broken(p, "the header ends too early");
    }
    String name = p.currentName();
    String fault = faultOf(name);
    if (fault != null) {
      throw broken(p, "a name " + fault);
    }
    return name;
  }

  /** Why a name or text cannot stand in a header, or null if it can. */
  static String faultOf(String name) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(name)) {
      return "is not valid Unicode (half a surrogate pair)";
    }
    if (name.codePoints().anyMatch(Character::isISOControl)) {
      return "has a control character";
    }
    return null;
  }

  private boolean metadataSeen;

  private void metadata(JsonParser p, JsonToken value) throws IOException {
    if (metadataSeen) {
      throw broken(p, "'" + METADATA + "' stands twice");
    }
    metadataSeen = true;
    if (value == JsonToken.VALUE_NULL) {
      return;
    }
    if (value != JsonToken.START_OBJECT) {
      throw broken(p, "'" + METADATA + "' must be an object of texts");
    }
    while (p.nextToken() != JsonToken.END_OBJECT) {
      String key = p.currentName();
      if (p.nextToken() != JsonToken.VALUE_STRING) {
        throw broken(p, "metadata '" + shown(key) + "' must be a text");
      }
      if (metadata.size() >= MAX_TENSORS) {
        throw broken(p, "more than " + MAX_TENSORS + " metadata entries");
      }
      if (metadata.put(key, p.getText()) != null) {
        throw broken(p, "metadata '" + shown(key) + "' stands twice");
      }
    }
  }

  private void tensor(JsonParser p, JsonToken value, String name) throws IOException {
    if (value != JsonToken.START_OBJECT) {
      throw broken(p, "tensor '" + shown(name) + "' must be an object");
    }
    String dtype = null;
    long[] shape = null;
    long[] offsets = null;
    while (p.nextToken() != JsonToken.END_OBJECT) {
      String field = p.currentName();
      p.nextToken();
      boolean twice = false;
      switch (field) {
        case "dtype" -> {
          twice = dtype != null;
          if (p.currentToken() != JsonToken.VALUE_STRING) {
            throw broken(p, "the dtype of tensor '" + shown(name) + "' must be a text");
          }
          dtype = p.getText();
        }
        case "shape" -> {
          twice = shape != null;
          shape = numbers(p, name, field, Shape.MAX_RANK);
        }
        case "data_offsets" -> {
          twice = offsets != null;
          offsets = numbers(p, name, field, 2);
        }
        default -> p.skipChildren(); // the format's own reader ignores other fields too
      }
      if (twice) {
        throw broken(p, field + " of tensor '" + shown(name) + "' stands twice");
      }
    }
    if (dtype == null || shape == null || offsets == null || offsets.length != 2) {
      throw broken(
          p, "tensor '" + shown(name) + "' needs dtype, shape and data_offsets [begin, end]");
    }
    if (tensors.size() >= MAX_TENSORS) {
      throw broken(p, "more than " + MAX_TENSORS + " tensors");
    }
    if (tensors.put(name, checked(name, dtype, shape, offsets)) != null) {
      throw broken(p, "tensor '" + shown(name) + "' stands twice");
    }
  }

  private long[] numbers(JsonParser p, String tensor, String field, int most) throws IOException {
    String what = field + " of tensor '" + shown(tensor) + "'";
    if (p.currentToken() != JsonToken.START_ARRAY) {
      throw broken(p, what + " must be an array of whole numbers");
    }
    long[] numbers = new long[most];
    int n = 0;
    while (p.nextToken() != JsonToken.END_ARRAY) {
      if (n == most) {
        throw broken(p, what + " has more than " + most + " numbers");
      }
      if (p.currentToken() != JsonToken.VALUE_NUMBER_INT || p.getText().startsWith("-")) {
        throw broken(p, what + " must hold whole numbers from 0, got " + shown(p.getText()));
      }
      if (p.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
        throw broken(p, what + " holds a number beyond 2^63: " + shown(p.getText()));
      }
      numbers[n++] = p.getLongValue();
    }
    return Arrays.copyOf(numbers, n);
  }

  private TensorInfo checked(String name, String dtype, long[] dims, long[] offsets) {
    String tensor = where + ": tensor '" + shown(name) + "'";
    SafetensorsType type =
        SafetensorsType.named(dtype)
            .orElseThrow(
                () ->
                    new CremaException(
                        tensor + " has dtype '" + shown(dtype) + "', unknown to the format"));
    if (offsets[0] > offsets[1] || offsets[1] > dataSize) {
      throw new CremaException(
          tensor
              + " claims bytes "
              + offsets[0]
              + " to "
              + offsets[1]
              + "; the file has "
              + dataSize
              + " bytes of data. It may be cut short: copy it again from its source.");
    }
    long bytes = offsets[1] - offsets[0];
    Shape shape;
    long needed;
    try {
      shape = Shape.of(dims);
      needed = type.byteSize(shape.elements());
    } catch (CremaException | ArithmeticException e) {
      throw new CremaException(
          tensor + " of shape " + Arrays.toString(dims) + " has more than 2^63 bits", e);
    }
    if (needed != bytes) {
      throw new CremaException(
          tensor
              + ": "
              + dtype
              + " of shape "
              + shape
              + (needed < 0 ? " does not fill whole bytes" : " takes " + needed + " bytes")
              + ", but its data_offsets span "
              + bytes);
    }
    return new TensorInfo(name, type.name(), shape, offsets[0], bytes);
  }

  /** The tensors in the order of their data, which they must cover without gap or overlap. */
  private Map<String, TensorInfo> inDataOrder() {
    List<TensorInfo> sorted = new ArrayList<>(tensors.values());
    sorted.sort(
        Comparator.comparingLong(TensorInfo::offset).thenComparingLong(TensorInfo::byteSize));
    Map<String, TensorInfo> ordered = new LinkedHashMap<>();
    long end = 0;
    for (TensorInfo t : sorted) {
      if (t.offset() != end) {
        throw new CremaException(
            where
                + ": tensor '"
                + shown(t.name())
                + "' begins at byte "
                + t.offset()
                + " of the data; expected "
                + end
                + (t.offset() < end ? ": it overlaps another" : ": there is a hole"));
      }
      end = t.offset() + t.byteSize();
      ordered.put(t.name(), t);
    }
    if (end != dataSize) {
      throw new CremaException(
          where
              + ": its tensors take "
              + end
              + " bytes, but "
              + dataSize
              + " bytes of data follow the header");
    }
    return Collections.unmodifiableMap(ordered);
  }

  private CremaException broken(JsonParser p, String what) {
    var at = p.currentTokenLocation();
    return new CremaException(
        where + ": header, line " + at.getLineNr() + ", column " + at.getColumnNr() + ": " + what);
  }

  /** At most 80 characters, so that a hostile name does not fill a log. */
  static String shown(String text) {
    return text.length() <= 80 ? text : text.substring(0, 80) + "…";
  }
}
