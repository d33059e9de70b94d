package dev.crema.serving.security;

import com.linecorp.armeria.server.ServiceRequestContext;
import dev.crema.serving.inference.Inference;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

/**
 * Lets through what the request's {@link Principal} may ask: for gRPC, where the model's name is in
 * the message and {@link Guard} can't see it. Must be called where the request's context is the
 * current one, as Armeria has it for gRPC's services; elsewhere it refuses.
 */
public final class ScopedInference implements Inference {
  private final AccessControl access;
  private final Inference inference;

  public ScopedInference(AccessControl access, Inference inference) {
    this.access = Objects.requireNonNull(access, "access");
    this.inference = Objects.requireNonNull(inference, "inference");
  }

  @Override
  public CompletableFuture<InferenceResponse> infer(InferenceRequest request) {
    ServiceRequestContext context = ServiceRequestContext.currentOrNull();
    Principal who = context == null ? null : context.attr(Principal.OF_REQUEST);
    if (who == null) {
      return CompletableFuture.failedFuture(
          new ServingException(
              ServingException.Code.UNAUTHENTICATED,
              "It is not known who asks, as this was not called for a request"));
    }
    try {
      access.require(who, Scope.predict(request.model().name()));
    } catch (ServingException e) {
      Audit.refused(context, who.name(), e);
      return CompletableFuture.failedFuture(e);
    }
    return inference.infer(request);
  }
}
