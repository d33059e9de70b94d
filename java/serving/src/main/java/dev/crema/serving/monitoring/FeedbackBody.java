package dev.crema.serving.monitoring;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.security.Limits;
import dev.crema.serving.tensor.JsonFormat;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The body of a {@code :feedback}, read token by token: a long one does not fill the heap. */
final class FeedbackBody {
  private static final JsonFormat FORMAT = new JsonFormat(Limits.DEFAULT.json());

  private static final int MOST = 10_000;

  /** Of all entries together. */
  private static final int MOST_VALUES = 1 << 20;

  private final JsonParser json;
  private final List<Feedback.Truth> truths = new ArrayList<>();
  private int values;

  private FeedbackBody(JsonParser json) {
    this.json = json;
  }

  static List<Feedback.Truth> read(byte[] body) throws IOException {
    try (JsonParser json = FORMAT.parser(body, 0, body.length)) {
      return new FeedbackBody(json).read();
    }
  }

  private List<Feedback.Truth> read() throws IOException {
    boolean given = false;
    if (json.nextToken() != JsonToken.START_OBJECT) {
      throw expected("{\"feedback\": [...]}, got " + JsonFormat.describe(json));
    }
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      boolean feedback = json.currentName().equals("feedback");
      JsonToken value = json.nextToken();
      if (!feedback) {
        json.skipChildren();
        continue;
      }
      if (given || value != JsonToken.START_ARRAY) {
        throw expected("{\"feedback\": [...]}, one list");
      }
      given = true;
      while (json.nextToken() != JsonToken.END_ARRAY) {
        if (truths.size() == MOST) {
          throw expected("{\"feedback\": [...]} with at most " + MOST + " entries");
        }
        truths.add(truth());
      }
    }
    if (!given || json.nextToken() != null) {
      throw expected("{\"feedback\": [...]} and nothing else");
    }
    return truths;
  }

  private Feedback.Truth truth() throws IOException {
    if (json.currentToken() != JsonToken.START_OBJECT) {
      throw wrong("an object, got " + JsonFormat.describe(json));
    }
    String id = null;
    List<Object> labels = new ArrayList<>();
    List<double[]> numbers = new ArrayList<>();
    int kinds = 0;
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String field = json.currentName();
      json.nextToken();
      switch (field) {
        case "id" -> {
          if (id != null || json.currentToken() != JsonToken.VALUE_STRING) {
            throw wrong("one \"id\", a string");
          }
          id = json.getText();
        }
        case "label" -> {
          kinds++;
          labels.add(label());
        }
        case "labels" -> {
          kinds++;
          openList(field);
          while (json.nextToken() != JsonToken.END_ARRAY) {
            labels.add(label());
          }
        }
        case "value" -> {
          kinds++;
          numbers.add(row());
        }
        case "values" -> {
          kinds++;
          openList(field);
          while (json.nextToken() != JsonToken.END_ARRAY) {
            numbers.add(row());
          }
        }
        default -> json.skipChildren();
      }
    }
    if (id == null || kinds != 1) {
      throw wrong("an \"id\" and one of \"label\", \"labels\", \"value\", \"values\"");
    }
    if (labels.isEmpty() && numbers.isEmpty()) {
      throw wrong("something in its list");
    }
    return new Feedback.Truth(id, labels, numbers);
  }

  private void openList(String field) throws IOException {
    if (json.currentToken() != JsonToken.START_ARRAY) {
      throw wrong("a list of \"" + field + "\", got " + JsonFormat.describe(json));
    }
  }

  private Object label() throws IOException {
    count();
    if (json.currentToken() == JsonToken.VALUE_STRING) {
      return json.getText();
    }
    if (json.currentToken() != JsonToken.VALUE_NUMBER_INT
        || json.getNumberType() != JsonParser.NumberType.INT
        || json.getIntValue() < 0) {
      throw wrong("classes by their number from 0 or their name, got " + JsonFormat.describe(json));
    }
    return json.getIntValue();
  }

  /** A number, or those of a row. */
  private double[] row() throws IOException {
    if (json.currentToken() != JsonToken.START_ARRAY) {
      return new double[] {number()};
    }
    double[] row = new double[4];
    int length = 0;
    while (json.nextToken() != JsonToken.END_ARRAY) {
      row = length == row.length ? Arrays.copyOf(row, 2 * length) : row;
      row[length++] = number();
    }
    return Arrays.copyOf(row, length);
  }

  private double number() throws IOException {
    count();
    JsonToken token = json.currentToken();
    if (token == null || !token.isNumeric() || !Double.isFinite(json.getDoubleValue())) {
      throw wrong("numbers, got " + JsonFormat.describe(json));
    }
    return json.getDoubleValue();
  }

  private void count() {
    if (++values > MOST_VALUES) {
      throw expected("at most " + MOST_VALUES + " labels and numbers in one request");
    }
  }

  private static ServingException expected(String what) {
    return ServingException.invalidArgument("Expected " + what);
  }

  private ServingException wrong(String expected) {
    return ServingException.invalidArgument(
        "feedback[" + truths.size() + "]: expected " + expected);
  }
}
