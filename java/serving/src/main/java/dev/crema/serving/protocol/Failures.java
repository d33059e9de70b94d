package dev.crema.serving.protocol;

import com.linecorp.armeria.common.HttpStatus;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.ServingException.Code;
import dev.crema.serving.tensor.JsonFormat;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a client is told of a failure. */
public final class Failures {
  private static final Logger LOG = LoggerFactory.getLogger(Failures.class);

  /** Milliseconds after which gRPC's clients may try again, in its own design of retries. */
  private static final Metadata.Key<String> PUSHBACK =
      Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER);

  private Failures() {}

  /** The failure itself; anything that is no answer to a client becomes INTERNAL and is logged. */
  public static ServingException of(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof ServingException e) {
      return e;
    }
    if (cause instanceof IOException e) {
      return JsonFormat.malformed(e);
    }
    if (cause instanceof CancellationException) {
      return new ServingException(Code.CANCELLED, "The client no longer waits for the answer");
    }
    LOG.error("A request failed in the server", cause);
    return new ServingException(Code.INTERNAL, "The server failed; its log says why", null, cause);
  }

  /** As TensorFlow Serving has them: a failed precondition is a bad request. */
  public static HttpStatus httpStatus(ServingException e) {
    return e.code() == Code.FAILED_PRECONDITION
        ? HttpStatus.BAD_REQUEST
        : HttpStatus.valueOf(e.code().httpStatus());
  }

  /** The same for gRPC. */
  public static StatusRuntimeException grpc(Throwable failure) {
    ServingException e = of(failure);
    Metadata trailers = new Metadata();
    e.retryAfter().ifPresent(d -> trailers.put(PUSHBACK, Long.toString(d.toMillis())));
    return Status.fromCode(Status.Code.valueOf(e.code().name()))
        .withDescription(e.getMessage())
        .asRuntimeException(trailers);
  }
}
