package dev.crema.serving.http;

import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.logging.RequestLogProperty;
import com.linecorp.armeria.server.RequestTimeoutException;
import com.linecorp.armeria.server.ServerErrorHandler;
import com.linecorp.armeria.server.ServiceConfig;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.crema.serving.inference.ServingException;
import io.netty.channel.Channel;

/**
 * What no protocol answers: an error in JSON that says what was wrong, and nothing of the inside.
 */
public final class PlainErrors implements ServerErrorHandler {
  private static final int LONGEST = 300;

  @Override
  public HttpResponse onServiceException(ServiceRequestContext ctx, Throwable cause) {
    if (cause instanceof RequestTimeoutException && isHalfRead(ctx)) {
      // Who sends too slowly would go on doing so; the rest of its body means nothing any more.
      ctx.log().whenComplete().thenAccept(log -> close(log.channel()));
    }
    return cause instanceof ServingException e
        ? Refusal.of(ctx.request().headers(), e)
        : null; // Armeria's handler knows the codes of its own exceptions, and comes here with them
  }

  private static boolean isHalfRead(ServiceRequestContext ctx) {
    return !ctx.sessionProtocol().isMultiplex()
        && !ctx.log().isAvailable(RequestLogProperty.REQUEST_END_TIME);
  }

  private static void close(Channel channel) {
    if (channel != null) {
      channel.close();
    }
  }

  @Override
  public AggregatedHttpResponse renderStatus(
      ServiceRequestContext ctx,
      ServiceConfig config,
      RequestHeaders headers,
      HttpStatus status,
      String description,
      Throwable cause) {
    if (status.isContentAlwaysEmpty()) {
      return null;
    }
    String message =
        switch (status.code()) {
          case 404 -> "There is nothing at " + shortened(headers == null ? "" : headers.path());
          case 408 -> "The request did not come within the time that this server gives it";
          case 413 ->
              "The request's body is longer than the "
                  + config.maxRequestLength()
                  + " bytes that this server takes";
          case 503 -> "The request took longer than this server's limit, or the server is stopping";
          default -> status.reasonPhrase();
        };
    HttpData body = Refusal.json(message);
    return AggregatedHttpResponse.of(
        ResponseHeaders.builder(status)
            .contentType(MediaType.JSON_UTF_8)
            .contentLength(body.length())
            .build(),
        body);
  }

  private static String shortened(String path) {
    int query = path.indexOf('?');
    String plain = query < 0 ? path : path.substring(0, query);
    return plain.length() <= LONGEST ? plain : plain.substring(0, LONGEST) + "...";
  }
}
