package dev.crema.serving.protocol;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.ResponseHeadersBuilder;
import com.linecorp.armeria.common.util.Exceptions;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.tensor.JsonFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** Bodies and errors of REST calls: errors are {@code {"error": "..."}} in both protocols. */
public final class Rest {
  private static final ResponseHeaders OK =
      ResponseHeaders.of(HttpStatus.OK, HttpHeaderNames.CONTENT_TYPE, MediaType.JSON);

  private static final JsonFormat ERRORS = new JsonFormat(StreamReadConstraints.defaults());

  /** Bodies above this are read on a thread that may take its time, not on the event loop. */
  private static final int QUICK_BODY = 256 << 10;

  private Rest() {}

  /** Answers a call whose body has come. */
  @FunctionalInterface
  public interface BodyCall {
    CompletionStage<HttpResponse> answer(byte[] body) throws IOException;
  }

  /** Writes an answer's JSON. */
  @FunctionalInterface
  public interface Content {
    void write(JsonGenerator json) throws IOException;
  }

  /** Waits for a request's body, then answers it. */
  public static HttpResponse withBody(
      ServiceRequestContext context, HttpRequest request, BodyCall call) {
    CompletableFuture<AggregatedHttpRequest> body = request.aggregate();
    if (body.isDone() && !body.isCompletedExceptionally()) {
      return now(answered(context, body.join(), call));
    }
    return HttpResponse.of(
        body.handle(
                (whole, failure) ->
                    failure == null
                        ? answered(context, whole, call)
                        : CompletableFuture.<HttpResponse>failedFuture(failure))
            .thenCompose(stage -> stage)
            .exceptionally(Rest::refusalOrRethrow));
  }

  /** An answer that is there already needs no stream to wait for it. */
  private static HttpResponse now(CompletionStage<HttpResponse> answer) {
    CompletableFuture<HttpResponse> future = answer.toCompletableFuture();
    return future.isDone() && !future.isCompletedExceptionally()
        ? future.join()
        : HttpResponse.of(future.exceptionally(Rest::refusalOrRethrow));
  }

  private static CompletionStage<HttpResponse> answered(
      ServiceRequestContext context, AggregatedHttpRequest whole, BodyCall call) {
    String coding = whole.headers().get(HttpHeaderNames.CONTENT_ENCODING);
    if (coding != null) {
      return later(
          context,
          () -> Inflation.of(coding, whole.content().toInputStream(), context.maxRequestLength()),
          call);
    }
    return whole.content().length() <= QUICK_BODY
        ? answer(whole.content().array(), call)
        : later(context, () -> whole.content().array(), call);
  }

  /**
   * Where a thread may take its time: so many big bodies are unpacked at once as it has threads.
   */
  private static CompletionStage<HttpResponse> later(
      ServiceRequestContext context, Supplier<byte[]> body, BodyCall call) {
    return CompletableFuture.supplyAsync(
            () -> answer(body.get(), call), context.blockingTaskExecutor())
        .thenCompose(stage -> stage);
  }

  /** What the server itself has an answer for, a body that is too long for one, is left to it. */
  private static HttpResponse refusalOrRethrow(Throwable failure) {
    return Exceptions.peel(failure) instanceof ServingException e
        ? error(e)
        : Exceptions.throwUnsafely(failure);
  }

  private static CompletionStage<HttpResponse> answer(byte[] body, BodyCall call) {
    try {
      CompletableFuture<HttpResponse> answer = call.answer(body).toCompletableFuture();
      return answer.isDone() && !answer.isCompletedExceptionally()
          ? answer
          : answer.exceptionally(Rest::error);
    } catch (IOException | RuntimeException e) {
      return CompletableFuture.completedFuture(error(e));
    }
  }

  /** 200 with JSON. */
  public static HttpResponse json(JsonFormat format, Content content) {
    return json(format, HttpStatus.OK, "", content);
  }

  /**
   * @param id sent back as a header; "" for none
   */
  public static HttpResponse json(
      JsonFormat format, HttpStatus status, String id, Content content) {
    Body body = new Body();
    try (JsonGenerator json = format.generator(body)) {
      content.write(json);
    } catch (IOException e) {
      throw new IllegalStateException("JSON could not be written to memory", e);
    }
    return HttpResponse.of(headers(status, id), body.data());
  }

  private static ResponseHeaders headers(HttpStatus status, String id) {
    if (status.equals(HttpStatus.OK) && id.isEmpty()) {
      return OK;
    }
    ResponseHeadersBuilder headers = ResponseHeaders.builder(status).contentType(MediaType.JSON);
    if (!id.isEmpty()) {
      headers.set(Calls.ID_HEADER, id);
    }
    return headers.build();
  }

  /** What a client gets instead of an answer. */
  public static HttpResponse error(Throwable failure) {
    ServingException e = Failures.of(failure);
    return error(Failures.httpStatus(e), e.getMessage(), e);
  }

  /** 405, with what is allowed. */
  public static HttpResponse methodNotAllowed(HttpMethod got, HttpMethod... allowed) {
    StringBuilder names = new StringBuilder();
    for (HttpMethod m : allowed) {
      names.append(names.isEmpty() ? "" : ", ").append(m);
    }
    return HttpResponse.of(
        ResponseHeaders.builder(HttpStatus.METHOD_NOT_ALLOWED)
            .contentType(MediaType.JSON)
            .set(HttpHeaderNames.ALLOW, names.toString())
            .build(),
        errorBody("This path takes " + names + ", got " + got));
  }

  /** 404 for paths that name nothing. */
  public static HttpResponse unknownPath(HttpMethod method, String path) {
    return error(
        HttpStatus.NOT_FOUND,
        "Malformed request: " + method + ' ' + JsonFormat.shortened(path),
        null);
  }

  private static HttpResponse error(HttpStatus status, String message, ServingException e) {
    ResponseHeadersBuilder headers = ResponseHeaders.builder(status).contentType(MediaType.JSON);
    if (e != null) {
      e.retryAfter()
          .ifPresent(
              d ->
                  headers.set(
                      HttpHeaderNames.RETRY_AFTER,
                      Long.toString(Math.max(1, (d.toMillis() + 999) / 1000))));
    }
    return HttpResponse.of(headers.build(), errorBody(message));
  }

  private static HttpData errorBody(String message) {
    Body body = new Body();
    try (JsonGenerator json = ERRORS.generator(body)) {
      json.writeStartObject();
      json.writeStringField("error", message);
      json.writeEndObject();
    } catch (IOException e) {
      throw new IllegalStateException("JSON could not be written to memory", e);
    }
    return body.data();
  }

  /** A body being written, given away without a copy. */
  public static final class Body extends ByteArrayOutputStream {
    public Body() {
      super(512);
    }

    public HttpData data() {
      return HttpData.wrap(buf, 0, count);
    }
  }
}
