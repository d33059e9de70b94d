package dev.crema.serving.monitoring;

import com.fasterxml.jackson.core.StreamReadConstraints;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.crema.serving.Endpoint;
import dev.crema.serving.protocol.Rest;
import dev.crema.serving.tensor.JsonFormat;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

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
  private static final JsonFormat ANSWERS = new JsonFormat(StreamReadConstraints.defaults());

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
    return Rest.withBody(
        context,
        request,
        body -> {
          List<Feedback.Truth> truths = FeedbackBody.read(body);
          List<String> missing = feedback.take(model, truths);
          return CompletableFuture.completedFuture(answer(truths.size() - missing.size(), missing));
        });
  }

  private static HttpResponse answer(int matched, List<String> unmatched) {
    return Rest.json(
        ANSWERS,
        json -> {
          json.writeStartObject();
          json.writeNumberField("matched", matched);
          json.writeArrayFieldStart("unmatched");
          for (String id : unmatched) {
            json.writeString(id);
          }
          json.writeEndArray();
          json.writeEndObject();
        });
  }
}
