package dev.crema.serving;

import com.linecorp.armeria.server.ServerBuilder;

/** A part of a {@link ModelServer} that answers to some paths: a protocol, metrics, a page. */
@FunctionalInterface
public interface Endpoint {
  /**
   * Adds its services to a server that is being built; called once for each start. Authentication,
   * limits, logs and tracing stand around them already: it adds services, and no settings of the
   * server.
   */
  void addTo(ServerBuilder server);
}
