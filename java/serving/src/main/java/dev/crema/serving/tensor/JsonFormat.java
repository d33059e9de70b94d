package dev.crema.serving.tensor;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.io.IOContext;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import dev.crema.serving.inference.ServingException;
import java.io.IOException;
import java.io.OutputStream;

/**
 * How all REST protocols read and write JSON: token by token, with limits; {@code NaN}, {@code
 * Infinity} and {@code -Infinity} are numbers, as TensorFlow Serving has them; floats are written
 * with the fewest digits that read back as the same float. Thread-safe.
 */
public final class JsonFormat {
  private final JsonFactory factory;

  /**
   * @param limits what a client may send at most
   */
  public JsonFormat(StreamReadConstraints limits) {
    factory =
        new Factory(
            new JsonFactoryBuilder()
                .streamReadConstraints(limits)
                .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                .enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER)
                .enable(StreamWriteFeature.USE_FAST_DOUBLE_WRITER)
                .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
                .disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS));
  }

  /** Makes {@link ListParser}s of what is plainly UTF-8. */
  private static final class Factory extends JsonFactory {
    private static final long serialVersionUID = 1;

    Factory(JsonFactoryBuilder settings) {
      super(settings);
    }

    @Override
    protected JsonParser _createParser(byte[] body, int offset, int length, IOContext context)
        throws IOException {
      boolean plain = length >= 4 && body[offset] > 0 && body[offset + 1] > 0;
      return plain
          ? new ListParser(
              context,
              _parserFeatures,
              _byteSymbolCanonicalizer.makeChildOrPlaceholder(_factoryFeatures),
              body,
              offset,
              offset + length)
          : super._createParser(body, offset, length, context);
    }
  }

  public JsonParser parser(byte[] body, int offset, int length) throws IOException {
    return factory.createParser(body, offset, length);
  }

  public JsonGenerator generator(OutputStream out) throws IOException {
    return factory.createGenerator(out);
  }

  /** What a token is called in messages. */
  public static String describe(JsonParser json) throws IOException {
    JsonToken token = json.currentToken();
    if (token == null) {
      return "nothing";
    }
    return switch (token) {
      case START_OBJECT -> "an object";
      case START_ARRAY -> "a list";
      case VALUE_STRING -> "the string \"" + shortened(json.getText()) + '"';
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> shortened(json.getText());
      case VALUE_TRUE, VALUE_FALSE, VALUE_NULL -> json.getText();
      default -> "no value";
    };
  }

  /** A client's text for a message: the beginning of it, in one line. */
  public static String shortened(String text) {
    String start = text.length() > 64 ? text.substring(0, 64) + "..." : text;
    return start.chars().anyMatch(c -> c < ' ') ? start.replaceAll("\\p{Cntrl}", "?") : start;
  }

  /** JSON that cannot be read, as the client is told. */
  public static ServingException malformed(IOException e) {
    String what = e.getMessage() == null ? e.toString() : e.getMessage();
    int source = what.indexOf("\n at [Source");
    String place = "";
    if (e instanceof com.fasterxml.jackson.core.JacksonException j && j.getLocation() != null) {
      place =
          " (line "
              + j.getLocation().getLineNr()
              + ", column "
              + j.getLocation().getColumnNr()
              + ")";
    }
    String message = source < 0 ? what : what.substring(0, source);
    if (message.length() > 300) {
      message = message.substring(0, 300) + "...";
    }
    return ServingException.invalidArgument("JSON Parse error: " + message + place);
  }
}
