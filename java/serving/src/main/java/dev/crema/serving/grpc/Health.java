package dev.crema.serving.grpc;

import io.grpc.BindableService;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import java.util.Collection;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * gRPC's standard health check: of the server ("") and of each service, which are well together.
 */
final class Health extends HealthGrpc.HealthImplBase {
  private final BooleanSupplier ready;
  private final Set<String> services;

  Health(BooleanSupplier ready, Collection<BindableService> services) {
    this.ready = ready;
    this.services =
        services.stream()
            .map(s -> s.bindService().getServiceDescriptor().getName())
            .collect(Collectors.toUnmodifiableSet());
  }

  @Override
  public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> observer) {
    if (!request.getService().isEmpty() && !services.contains(request.getService())) {
      observer.onError(
          Status.NOT_FOUND
              .withDescription("unknown service " + request.getService())
              .asRuntimeException());
      return;
    }
    observer.onNext(
        HealthCheckResponse.newBuilder()
            .setStatus(ready.getAsBoolean() ? ServingStatus.SERVING : ServingStatus.NOT_SERVING)
            .build());
    observer.onCompleted();
  }
}
