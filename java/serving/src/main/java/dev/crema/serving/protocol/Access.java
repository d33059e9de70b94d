package dev.crema.serving.protocol;

import com.linecorp.armeria.server.ServiceRequestContext;

/** Whether a client may use a model. Thread-safe. */
@FunctionalInterface
public interface Access {
  Access ALL = (context, model) -> {};

  /**
   * Asked before anything is told or computed about a model.
   *
   * @throws dev.crema.serving.inference.ServingException if this client may not
   */
  void check(ServiceRequestContext context, String model);
}
