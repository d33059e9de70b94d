package dev.crema.serving.monitoring;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.crema.CremaException;
import dev.crema.io.Json;
import dev.crema.serving.Endpoint;
import dev.crema.serving.inference.ServingException;
import java.io.ByteArrayInputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * {@code POST /v1/models/NAME:feedback} takes the truth for requests that had ids:
 *
 * <pre>{@code
 * {"feedback": [{"id": "a", "label": "cat"}, {"id": "b", "labels": [0, 2]},
 *               {"id": "c", "value": 3.5}, {"id": "d", "values": [[1, 2], [3, 4]]}]}
 * }</pre>
 *
 * <p>The answer says how many were joined and which were not: {@code {"matched": 3, "unmatched":
 * ["d"]}}. {@code label} and {@code value} are of requests with one row.
 */
public final class FeedbackEndpoint implements Endpoint {
  private static final int MOST = 10_000;

  private final Feedback feedback;

  public FeedbackEndpoint(Feedback feedback) {
    this.feedback = Objects.requireNonNull(feedback, "feedback");
  }

  @Override
  public void addTo(ServerBuilder server) {
    server
        .route()
        .post("regex:^/v1/models/(?<model>[^/:]+)(?:/versions/[0-9]+)?:feedback$")
        .build(this::serve);
  }

  private HttpResponse serve(ServiceRequestContext context, HttpRequest request) {
    String model = context.pathParam("model");
    return HttpResponse.of(
        request
            .aggregate()
            .thenApplyAsync(body -> answer(model, body), context.blockingTaskExecutor()));
  }

  private HttpResponse answer(String model, AggregatedHttpRequest body) {
    ObjectNode json = Json.mapper().createObjectNode();
    HttpStatus status = HttpStatus.OK;
    try {
      List<Feedback.Truth> truths = read(body.content().array());
      List<String> missing = feedback.take(model, truths);
      json.put("matched", truths.size() - missing.size());
      missing.forEach(json.putArray("unmatched")::add);
    } catch (ServingException e) {
      status = HttpStatus.valueOf(e.code().httpStatus());
      json.put("error", e.getMessage());
    } catch (CremaException e) { // no JSON
      status = HttpStatus.BAD_REQUEST;
      json.put("error", e.getMessage());
    }
    return HttpResponse.of(status, MediaType.JSON, HttpData.wrap(Json.bytes(json)));
  }

  private static List<Feedback.Truth> read(byte[] body) {
    JsonNode all =
        Json.read(new ByteArrayInputStream(body), "The feedback", JsonNode.class).path("feedback");
    if (!all.isArray() || all.size() > MOST) {
      throw ServingException.invalidArgument(
          "Expected {\"feedback\": [...]} with at most "
              + MOST
              + " entries"
              + (all.isArray() ? ", got " + all.size() : ""));
    }
    List<Feedback.Truth> truths = new ArrayList<>();
    for (JsonNode each : all) {
      truths.add(truth(each, truths.size()));
    }
    return truths;
  }

  private static Feedback.Truth truth(JsonNode json, int place) {
    int kinds = 0;
    for (String kind : new String[] {"label", "labels", "value", "values"}) {
      kinds += json.has(kind) ? 1 : 0;
    }
    if (!json.path("id").isTextual() || kinds != 1) {
      throw wrong(place, "an \"id\" and one of \"label\", \"labels\", \"value\", \"values\"");
    }
    List<Object> labels = new ArrayList<>();
    List<double[]> values = new ArrayList<>();
    if (json.has("label")) {
      labels.add(label(json.get("label"), place));
    }
    if (json.has("value")) {
      values.add(value(json.get("value"), place));
    }
    json.path("labels").forEach(label -> labels.add(label(label, place)));
    json.path("values").forEach(value -> values.add(value(value, place)));
    if (labels.isEmpty() && values.isEmpty()) {
      throw wrong(place, "something in its list");
    }
    return new Feedback.Truth(json.get("id").asText(), labels, values);
  }

  private static Object label(JsonNode json, int place) {
    if (json.isTextual()) {
      return json.asText();
    }
    if (!json.isInt() || json.asInt() < 0) {
      throw wrong(place, "classes by their number from 0 or their name");
    }
    return json.asInt();
  }

  private static double[] value(JsonNode json, int place) {
    double[] values = new double[json.isArray() ? json.size() : 1];
    for (int i = 0; i < values.length; i++) {
      JsonNode number = json.isArray() ? json.get(i) : json;
      if (!number.isNumber()) {
        throw wrong(place, "numbers");
      }
      values[i] = number.asDouble();
    }
    return values;
  }

  private static ServingException wrong(int place, String expected) {
    return ServingException.invalidArgument("feedback[" + place + "]: expected " + expected);
  }
}
