package dev.crema.serving.protocol;

import com.linecorp.armeria.server.ServiceRequestContext;

/** Whether a client may have predictions of a model. Thread-safe. */
@FunctionalInterface
public interface Access {
  Access ALL = (context, model) -> {};

  /**
   * Asked before anything is computed.
   *
   * @throws dev.crema.serving.inference.ServingException if this client may not
   */
  void check(ServiceRequestContext context, String model);
}
