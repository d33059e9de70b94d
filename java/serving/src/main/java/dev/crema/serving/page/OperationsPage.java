package dev.crema.serving.page;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServerBuilder;
import dev.crema.io.Json;
import dev.crema.serving.Endpoint;
import dev.crema.serving.monitoring.Monitoring;
import java.util.function.Supplier;

/**
 * {@code GET /}: one page, with nothing from elsewhere, that shows models, traffic, drift, errors
 * and trainings, and has a form to try each model. What it shows can be had as JSON:
 *
 * <ul>
 *   <li>{@code GET /api/overview}: {@code models} with their {@code versions} and {@code
 *       signature}; {@code traffic}, for each model up to 300 seconds, oldest first, of {@code
 *       [answered, failed, p50, p90, p99]} in microseconds; {@code drift}, {@code feedback}, {@code
 *       errors}, {@code inFlight}, memory in bytes
 *   <li>{@code GET /api/training}: {@code trainings}, each with {@code state}, {@code history} (an
 *       object for each epoch) and {@code batches} ({@code [step, loss]}, thinned out)
 * </ul>
 *
 * <p>The form posts to TensorFlow Serving's {@code /v1/models/NAME:predict}.
 */
public final class OperationsPage implements Endpoint {
  private final Overview overview;
  private final Page page = new Page();

  public OperationsPage(Monitoring monitoring) {
    this.overview = new Overview(monitoring);
  }

  @Override
  public void addTo(ServerBuilder server) {
    ResponseHeaders headers =
        ResponseHeaders.builder(HttpStatus.OK)
            .contentType(MediaType.HTML_UTF_8)
            .set(HttpHeaderNames.CONTENT_SECURITY_POLICY, page.policy)
            .set(HttpHeaderNames.X_CONTENT_TYPE_OPTIONS, "nosniff")
            .set(HttpHeaderNames.REFERRER_POLICY, "no-referrer")
            .set(HttpHeaderNames.CACHE_CONTROL, "no-cache")
            .build();
    server.route().get("/").build((c, r) -> HttpResponse.of(headers, HttpData.wrap(page.html)));
    server.route().get("/api/overview").build(json(overview::now));
    server.route().get("/api/training").build(json(overview::trainings));
  }

  private static HttpService json(Supplier<ObjectNode> content) {
    ResponseHeaders headers =
        ResponseHeaders.builder(HttpStatus.OK)
            .contentType(MediaType.JSON)
            .set(HttpHeaderNames.CACHE_CONTROL, "no-store")
            .build();
    return (context, request) ->
        HttpResponse.of(
            () -> HttpResponse.of(headers, HttpData.wrap(Json.bytes(content.get()))),
            context.blockingTaskExecutor());
  }
}
