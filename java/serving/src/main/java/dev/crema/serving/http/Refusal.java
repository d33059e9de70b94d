package dev.crema.serving.http;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.ResponseHeadersBuilder;
import dev.crema.serving.inference.ServingException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/**
 * Answers that say no, in the protocol of who asked: JSON {@code {"error": ...}}, or a status of
 * gRPC.
 */
public final class Refusal {
  private Refusal() {}

  /** The answer to a request with these headers. */
  public static HttpResponse of(RequestHeaders request, ServingException why) {
    return isGrpc(request) ? grpc(why) : HttpResponse.of(headers(why), json(why.getMessage()));
  }

  public static boolean isGrpc(RequestHeaders request) {
    MediaType type = request.contentType();
    return type != null
        && type.type().equals("application")
        && (type.subtype().equals("grpc") || type.subtype().startsWith("grpc+"));
  }

  /** {@code {"error": message}}. */
  public static HttpData json(String message) {
    return HttpData.ofUtf8(
        "{\"error\":\""
            + new String(JsonStringEncoder.getInstance().quoteAsString(message))
            + "\"}");
  }

  private static ResponseHeaders headers(ServingException why) {
    ResponseHeadersBuilder headers =
        ResponseHeaders.builder(why.code().httpStatus()).contentType(MediaType.JSON_UTF_8);
    if (why.code() == ServingException.Code.UNAUTHENTICATED) {
      headers.add(HttpHeaderNames.WWW_AUTHENTICATE, "Bearer realm=\"crema\"");
    }
    why.retryAfter()
        .ifPresent(
            after ->
                headers.add(
                    HttpHeaderNames.RETRY_AFTER,
                    Long.toString(Math.max(1, (after.toMillis() + 999) / 1000))));
    return headers.build();
  }

  /** A gRPC answer without a message: status 200, the code in its only headers. */
  private static HttpResponse grpc(ServingException why) {
    return HttpResponse.of(
        ResponseHeaders.builder(200)
            .endOfStream(true)
            .contentType(MediaType.parse("application/grpc"))
            .add("grpc-status", Integer.toString(grpcCode(why.code())))
            .add(
                "grpc-message",
                URLEncoder.encode(why.getMessage(), StandardCharsets.UTF_8).replace("+", "%20"))
            .build());
  }

  /** The number that gRPC has for a code. */
  public static int grpcCode(ServingException.Code code) {
    return switch (code) {
      case CANCELLED -> 1;
      case INVALID_ARGUMENT -> 3;
      case DEADLINE_EXCEEDED -> 4;
      case NOT_FOUND -> 5;
      case PERMISSION_DENIED -> 7;
      case RESOURCE_EXHAUSTED -> 8;
      case FAILED_PRECONDITION -> 9;
      case UNIMPLEMENTED -> 12;
      case INTERNAL -> 13;
      case UNAVAILABLE -> 14;
      case UNAUTHENTICATED -> 16;
    };
  }
}
