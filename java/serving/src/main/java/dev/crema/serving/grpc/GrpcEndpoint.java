package dev.crema.serving.grpc;

import com.google.protobuf.InvalidProtocolBufferException;
import com.linecorp.armeria.common.grpc.GrpcSerializationFormats;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.grpc.GrpcService;
import dev.crema.serving.Endpoint;
import dev.crema.serving.protocol.Calls;
import io.grpc.BindableService;
import io.grpc.Status;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.util.List;

/**
 * gRPC services on the same port as REST, with reflection and {@code grpc.health.v1.Health}. Calls
 * run on event loops: services hand over what may take its time. Compressed requests are read;
 * answers are not compressed.
 */
public final class GrpcEndpoint implements Endpoint {
  private final Calls calls;
  private final List<BindableService> services;

  public GrpcEndpoint(Calls calls, List<BindableService> services) {
    this.calls = calls;
    this.services = List.copyOf(services);
  }

  @Override
  public void addTo(ServerBuilder server) {
    server.service(
        GrpcService.builder()
            .addServices(services)
            .addService(new Health(calls::ready, services))
            .addService(ProtoReflectionServiceV1.newInstance())
            .supportedSerializationFormats(GrpcSerializationFormats.PROTO)
            .useBlockingTaskExecutor(false)
            .useClientTimeoutHeader(true)
            .exceptionHandler((context, status, cause, metadata) -> unreadable(cause))
            .build());
  }

  /** A message that is none is the client's fault, not an INTERNAL one; null for other failures. */
  private static Status unreadable(Throwable cause) {
    for (Throwable t = cause; t != null; t = t.getCause()) {
      if (t instanceof InvalidProtocolBufferException) {
        return Status.INVALID_ARGUMENT.withDescription(
            "Invalid protobuf message: " + t.getMessage());
      }
    }
    return null;
  }
}
