package dev.crema.serving.security;

import com.linecorp.armeria.common.logging.RequestLog;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.crema.serving.http.JsonLine;
import dev.crema.serving.http.Tracing;
import dev.crema.serving.inference.ServingException;
import io.netty.util.AttributeKey;
import java.util.Objects;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One line of JSON for each refusal of a client and each request of an administrator, to the logger
 * {@code dev.crema.serving.audit}: who, from where, what was asked for and what came of it.
 */
public final class Audit {
  private static final Logger LOG = LoggerFactory.getLogger("dev.crema.serving.audit");
  private static final AttributeKey<String> ACTION = AttributeKey.valueOf(Audit.class, "ACTION");

  private final Consumer<String> refusals;
  private final Consumer<String> actions;

  Audit() {
    this(line -> LOG.warn("{}", line), line -> LOG.info("{}", line));
  }

  /**
   * @param refusals gets a line for each refusal
   * @param actions gets a line for each request of an administrator
   */
  Audit(Consumer<String> refusals, Consumer<String> actions) {
    this.refusals = Objects.requireNonNull(refusals, "refusals");
    this.actions = Objects.requireNonNull(actions, "actions");
  }

  /**
   * Says what an administrator's request is about, where its path does not: gRPC has it in the
   * message.
   *
   * @param action such as "load digits"
   */
  public static void describe(ServiceRequestContext context, String action) {
    context.setAttr(ACTION, action);
  }

  /** Somebody was not let in. Nothing of a key is written. */
  void refused(ServiceRequestContext context, String who, ServingException why) {
    JsonLine line =
        line(context, "refused", who)
            .add("code", why.code().name())
            .add("reason", why.getMessage());
    refusals.accept(line.toString());
  }

  /** Somebody changed, or tried to change, which models are served. */
  void admin(ServiceRequestContext context, String who, RequestLog log) {
    JsonLine line = line(context, "admin", who);
    String action = context.attr(ACTION);
    if (action != null) {
      line.add("action", action);
    }
    line.add("status", log.responseStatus().code());
    String grpc = Tracing.grpcStatus(log);
    if (grpc != null) {
      line.add("grpc_status", grpc);
    }
    actions.accept(line.toString());
  }

  private static JsonLine line(ServiceRequestContext context, String event, String who) {
    return new JsonLine()
        .now()
        .add("event", event)
        .add("principal", who)
        .add("remote", context.remoteAddress().getAddress().getHostAddress())
        .add("method", context.method().name())
        .add("path", context.path());
  }
}
