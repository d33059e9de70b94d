package dev.crema.serving.protocol;

import com.linecorp.armeria.server.ServiceRequestContext;
import dev.crema.serving.inference.Inference;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.Models;
import dev.crema.serving.security.Audit;
import dev.crema.serving.tensor.JsonFormat;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** The models behind a protocol, and what each of its calls asks first. Thread-safe. */
public final class Calls {
  /** Milliseconds until a client stops waiting; REST's counterpart of {@code grpc-timeout}. */
  public static final String TIMEOUT_HEADER = "x-request-timeout-ms";

  /** The id of a request, where the protocol has no field for it; comes back with the answer. */
  public static final String ID_HEADER = "x-request-id";

  private static final int MAX_ID = 256;

  private final Models models;
  private final Inference inference;
  private final ProtocolOptions options;
  private final JsonFormat json;

  public Calls(Models models, Inference inference, ProtocolOptions options) {
    this.models = models;
    this.inference = inference;
    this.options = options;
    json = new JsonFormat(options.limits().json());
  }

  public Models models() {
    return models;
  }

  /** Asks for an answer; a request of a client that has gone leaves its queue. */
  public CompletableFuture<InferenceResponse> infer(
      ServiceRequestContext context, InferenceRequest request) {
    CompletableFuture<InferenceResponse> answer = inference.infer(request);
    if (!answer.isDone()) {
      context.whenRequestCancelling().thenRun(() -> answer.cancel(false));
    }
    return answer;
  }

  /** Bytes of the biggest tensor. */
  public long tensorBytes() {
    return options.limits().tensorBytes();
  }

  public ProtocolOptions options() {
    return options;
  }

  public JsonFormat json() {
    return json;
  }

  /** What that version takes and gives, for a client that may have predictions of it. */
  public Signature signature(ServiceRequestContext context, ModelReference model) {
    checkAccess(context, model.name());
    return models.signature(model);
  }

  /** Throws unless the client may have predictions of that model. */
  public void checkAccess(ServiceRequestContext context, String model) {
    options.access().check(context, model);
  }

  /**
   * Throws unless clients may load and unload models.
   *
   * @param action what is asked for, as "load digits": stands in the audit line
   */
  public void checkAdmin(ServiceRequestContext context, String action) {
    Audit.describe(context, JsonFormat.shortened(action));
    if (!options.admin()) {
      throw new ServingException(
          ServingException.Code.PERMISSION_DENIED,
          "This server does not let clients load or unload models; its owner can turn that on");
    }
  }

  /** Whether requests can be sent: the server takes them and no model waits for its first load. */
  public boolean ready() {
    return options.ready().getAsBoolean() && models.names().stream().allMatch(models::isSettled);
  }

  /** When the client, or the server for it, stops waiting; on {@link System#nanoTime}'s clock. */
  public static long deadlineNanos(ServiceRequestContext context) {
    long deadline = InferenceRequest.NO_DEADLINE;
    long timeout = context.requestTimeoutMillis();
    if (timeout > 0) {
      deadline =
          context.log().partial().requestStartTimeNanos() + TimeUnit.MILLISECONDS.toNanos(timeout);
    }
    String given = context.request().headers().get(TIMEOUT_HEADER);
    return given == null ? deadline : earlier(deadline, milliseconds(given) * 1_000_000L);
  }

  /** A deadline, or one in so many nanoseconds if that is earlier. */
  public static long earlier(long deadline, long nanosFromNow) {
    long other = System.nanoTime() + nanosFromNow;
    return deadline == InferenceRequest.NO_DEADLINE || other - deadline < 0 ? other : deadline;
  }

  private static long milliseconds(String given) {
    try {
      long value = Long.parseLong(given.strip());
      if (value > 0 && value <= TimeUnit.DAYS.toMillis(1)) {
        return value;
      }
    } catch (NumberFormatException e) {
      // refused below
    }
    throw ServingException.invalidArgument(
        "The header "
            + TIMEOUT_HEADER
            + " takes milliseconds from 1 to 86400000, got \""
            + JsonFormat.shortened(given)
            + '"');
  }

  /** The id in the header; "" if there is none. */
  public static String requestId(ServiceRequestContext context) {
    String id = context.request().headers().get(ID_HEADER);
    return id == null ? "" : checkId(id);
  }

  /** An id that can be kept and sent back. */
  public static String checkId(String id) {
    if (id.length() > MAX_ID) {
      throw ServingException.invalidArgument(
          "A request's id has at most " + MAX_ID + " characters, got " + id.length());
    }
    return id;
  }

  /**
   * A version as clients write it: a number, or the name of a label; "" for the one that serves.
   */
  public static ModelReference reference(String model, String version) {
    if (version.isEmpty()) {
      return ModelReference.of(model);
    }
    return version.chars().allMatch(c -> c >= '0' && c <= '9')
        ? ModelReference.version(model, versionNumber(version))
        : ModelReference.label(model, version);
  }

  /** The number of a version. */
  public static long versionNumber(String version) {
    try {
      long number = Long.parseLong(version);
      if (number >= 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      // refused below
    }
    throw ServingException.invalidArgument(
        "A version is a whole number, got \"" + JsonFormat.shortened(version) + '"');
  }
}
