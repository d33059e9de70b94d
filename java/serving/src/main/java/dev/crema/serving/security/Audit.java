package dev.crema.serving.security;

import com.linecorp.armeria.server.ServiceRequestContext;
import dev.crema.serving.http.JsonLine;
import dev.crema.serving.inference.ServingException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One line of JSON for each refusal of a client and each request of an administrator, to the logger
 * {@code dev.crema.serving.audit}.
 */
final class Audit {
  private static final Logger LOG = LoggerFactory.getLogger("dev.crema.serving.audit");

  private Audit() {}

  /** Somebody was not let in. Nothing of a key is written. */
  static void refused(ServiceRequestContext context, String who, ServingException why) {
    LOG.warn(
        "{}",
        line(context, "refused", who)
            .add("code", why.code().name())
            .add("reason", why.getMessage()));
  }

  /** Somebody changed, or tried to change, which models are served. */
  static void admin(ServiceRequestContext context, String who, int status) {
    LOG.info("{}", line(context, "admin", who).add("status", status));
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
