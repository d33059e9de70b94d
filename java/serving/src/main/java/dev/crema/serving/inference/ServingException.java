package dev.crema.serving.inference;

import dev.crema.CremaException;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * A request that is not answered, and why. Protocols give each kind the code that they have for it.
 */
public final class ServingException extends CremaException {
  private static final long serialVersionUID = 1L;

  /** Named as gRPC's codes, with the HTTP status that stands for each. */
  public enum Code {
    INVALID_ARGUMENT(400),
    UNAUTHENTICATED(401),
    PERMISSION_DENIED(403),
    NOT_FOUND(404),
    FAILED_PRECONDITION(412),
    RESOURCE_EXHAUSTED(429),
    CANCELLED(499),
    INTERNAL(500),
    UNIMPLEMENTED(501),
    UNAVAILABLE(503),
    DEADLINE_EXCEEDED(504);

    private final int httpStatus;

    Code(int httpStatus) {
      this.httpStatus = httpStatus;
    }

    public int httpStatus() {
      return httpStatus;
    }
  }

  private final Code code;
  private final Duration retryAfter; // null: not said

  public ServingException(Code code, String message) {
    this(code, message, null, null);
  }

  /**
   * @param retryAfter when it may go better; null if that cannot be said
   */
  public ServingException(Code code, String message, Duration retryAfter, Throwable cause) {
    super(message, cause);
    this.code = Objects.requireNonNull(code, "code");
    this.retryAfter = retryAfter;
  }

  public static ServingException invalidArgument(String message) {
    return new ServingException(Code.INVALID_ARGUMENT, message);
  }

  public static ServingException notFound(String message) {
    return new ServingException(Code.NOT_FOUND, message);
  }

  public Code code() {
    return code;
  }

  public Optional<Duration> retryAfter() {
    return Optional.ofNullable(retryAfter);
  }
}
