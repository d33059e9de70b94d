package dev.crema.serving.http;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServerBuilder;
import dev.crema.serving.Endpoint;
import java.util.function.Supplier;

/**
 * {@code /healthz}: the process answers. {@code /readyz}: it wants requests; 503 and the reason in
 * plain text while it does not.
 */
public final class Health implements Endpoint {
  private final Supplier<String> notReady;

  /**
   * @param notReady why requests should go elsewhere now; "" if they should not
   */
  public Health(Supplier<String> notReady) {
    this.notReady = notReady;
  }

  @Override
  public void addTo(ServerBuilder server) {
    server.service("/healthz", read(() -> ""));
    server.service("/readyz", read(notReady));
  }

  private static HttpService read(Supplier<String> trouble) {
    return (ctx, req) ->
        switch (req.method()) {
          case GET, HEAD -> answer(trouble.get());
          default ->
              HttpResponse.of(
                  ResponseHeaders.of(
                      HttpStatus.METHOD_NOT_ALLOWED, HttpHeaderNames.ALLOW, "GET, HEAD"));
        };
  }

  private static HttpResponse answer(String trouble) {
    return HttpResponse.of(
        ResponseHeaders.of(
            trouble.isEmpty() ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE,
            HttpHeaderNames.CONTENT_TYPE,
            MediaType.PLAIN_TEXT_UTF_8,
            HttpHeaderNames.CACHE_CONTROL,
            "no-store"),
        HttpData.ofUtf8((trouble.isEmpty() ? "ok" : trouble) + "\n"));
  }
}
