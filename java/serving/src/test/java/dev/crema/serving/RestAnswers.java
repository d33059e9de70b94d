package dev.crema.serving;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.net.http.HttpResponse;

/** What REST protocols answer: JSON, or {@code {"error": ...}} with a status. */
public final class RestAnswers {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

  private RestAnswers() {}

  /** The text as JSON, in which NaN and Infinity are numbers. */
  public static JsonNode json(String text) {
    try {
      return JSON.readTree(text);
    } catch (IOException e) {
      throw new IllegalStateException(text, e);
    }
  }

  /** An answer is 200 and this JSON. */
  public static void expect(HttpResponse<String> response, String body) {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    assertThat(response.headers().firstValue("content-type")).contains("application/json");
    assertThat(json(response.body())).isEqualTo(json(body));
  }

  /** An error has this status and says each of these. */
  public static void refused(HttpResponse<String> response, int status, String... says) {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    assertThat(response.headers().firstValue("content-type")).contains("application/json");
    JsonNode body = json(response.body());
    assertThat(body.fieldNames()).toIterable().containsExactly("error");
    assertThat(body.get("error").textValue()).isNotEmpty();
    for (String each : says) {
      assertThat(body.get("error").textValue()).contains(each);
    }
  }
}
