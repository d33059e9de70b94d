package dev.crema.serving.http;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.time.Instant;

/** One object of JSON on one line, for logs. What clients sent can't break out of it. */
public final class JsonLine {
  private static final int LONGEST = 2048;

  private final StringBuilder text = new StringBuilder(256);

  public JsonLine add(String name, String value) {
    name(name);
    text.append('"');
    String shortened = value.length() <= LONGEST ? value : value.substring(0, LONGEST) + "...";
    JsonStringEncoder.getInstance().quoteAsString(shortened, text);
    text.append('"');
    return this;
  }

  public JsonLine add(String name, long value) {
    name(name);
    text.append(value);
    return this;
  }

  /** The time, in UTC, to the millisecond. */
  public JsonLine now() {
    return add("time", Instant.ofEpochMilli(System.currentTimeMillis()).toString());
  }

  private void name(String name) {
    text.append(text.length() == 0 ? "{\"" : ",\"").append(name).append("\":");
  }

  @Override
  public String toString() {
    return text.length() == 0 ? "{}" : text + "}";
  }
}
