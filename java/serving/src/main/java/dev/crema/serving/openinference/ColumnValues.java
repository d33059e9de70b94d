package dev.crema.serving.openinference;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.crema.serving.inference.ColumnSpec;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.protocols.inference.InferTensorContents;
import dev.crema.serving.tensor.JsonFormat;
import dev.crema.serving.tensor.NumberType;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads the values of one column as text, from each of the forms that a tensor comes in.
 *
 * @param type null for strings, BYTES
 */
record ColumnValues(ColumnSpec column, NumberType type) {
  private static final String BYTES = "BYTES";

  static ColumnValues of(ColumnSpec column, String datatype) {
    if (datatype.equals(BYTES)) {
      return new ColumnValues(column, null);
    }
    return new ColumnValues(
        column,
        NumberType.named(datatype)
            .orElseThrow(
                () ->
                    ServingException.invalidArgument(
                        "inference input '"
                            + shown(column.name())
                            + "' data-type is '"
                            + JsonFormat.shortened(datatype)
                            + "', which is none of the protocol's")));
  }

  static String shown(String name) {
    return JsonFormat.shortened(name);
  }

  private ServingException refused(String why) {
    return ServingException.invalidArgument(
        "inference input '" + shown(column.name()) + "' " + why);
  }

  /** A list that may be nested. */
  List<String> read(JsonParser json) throws IOException {
    List<String> values = new ArrayList<>();
    int open = 1;
    while (open > 0) {
      switch (json.nextToken()) {
        case START_ARRAY -> open++;
        case END_ARRAY -> open--;
        case VALUE_NULL -> values.add(null);
        default -> values.add(value(json, values.size()));
      }
    }
    return values;
  }

  private String value(JsonParser json, int row) throws IOException {
    JsonToken token = json.currentToken();
    if (token == null) {
      throw ServingException.invalidArgument("JSON Parse error: The document ends in a list");
    }
    boolean fits =
        type == null
            ? token == JsonToken.VALUE_STRING
            : switch (type) {
              case BOOL -> token == JsonToken.VALUE_TRUE || token == JsonToken.VALUE_FALSE;
              case FP16, BF16, FP32, FP64 -> token.isNumeric();
              default -> token == JsonToken.VALUE_NUMBER_INT && isWithin(json.getBigIntegerValue());
            };
    if (!fits) {
      throw refused(
          "has "
              + JsonFormat.describe(json)
              + " at row "
              + row
              + ", which is none of "
              + (type == null ? BYTES : type.name()));
    }
    return token.isNumeric() ? column.text(json.getText()) : json.getText();
  }

  private boolean isWithin(BigInteger value) {
    int bits = 8 * type.byteSize();
    return type.name().startsWith("U")
        ? value.signum() >= 0 && value.bitLength() <= bits
        : value.bitLength() < bits;
  }

  /**
   * So many values, one after another: numbers little endian, strings with their length before
   * them, 4 bytes.
   */
  List<String> read(long count, ByteBuffer data) {
    ByteBuffer in = data.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    if (type != null && in.remaining() != multiplied(count, type.byteSize())) {
      throw refused(
          "takes "
              + count
              + " elements of "
              + type
              + ", got "
              + in.remaining()
              + " bytes, which are "
              + in.remaining() / (double) type.byteSize()
              + " elements");
    }
    List<String> values = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      values.add(type == null ? string(in, i, count) : column.text(type.text(in)));
    }
    if (in.hasRemaining()) {
      throw refused("has " + in.remaining() + " bytes after its " + count + " strings");
    }
    return values;
  }

  private static long multiplied(long count, int size) {
    return count > Long.MAX_VALUE / size ? Long.MAX_VALUE : count * size;
  }

  private String string(ByteBuffer in, long row, long count) {
    if (in.remaining() < Integer.BYTES) {
      throw refused("ends after " + row + " of " + count + " strings");
    }
    long length = Integer.toUnsignedLong(in.getInt());
    if (length > in.remaining()) {
      throw refused(
          "has a string of "
              + length
              + " bytes at row "
              + row
              + ", but only "
              + in.remaining()
              + " bytes follow");
    }
    ByteBuffer text = in.slice(in.position(), (int) length);
    in.position(in.position() + (int) length);
    return utf8(text, row);
  }

  private String utf8(ByteBuffer text, long row) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(text).toString();
    } catch (CharacterCodingException e) {
      throw refused("has a string at row " + row + " that is not UTF-8");
    }
  }

  /** The list of its type. */
  List<String> read(InferTensorContents contents) {
    if (type == null) {
      List<String> values = new ArrayList<>();
      contents
          .getBytesContentsList()
          .forEach(b -> values.add(utf8(b.asReadOnlyByteBuffer(), values.size())));
      return values;
    }
    ByteBuffer data =
        TypedContents.read(column.name(), type, contents); // checked against its narrow types
    return read(data.remaining() / type.byteSize(), data);
  }
}
