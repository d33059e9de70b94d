package dev.crema.serving.grpc;

import com.google.protobuf.InvalidProtocolBufferException;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.grpc.GrpcSerializationFormats;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServiceRequestContext;
import com.linecorp.armeria.server.grpc.GrpcService;
import dev.crema.serving.Endpoint;
import dev.crema.serving.http.Refusal;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.protocol.Calls;
import dev.crema.serving.tensor.JsonFormat;
import io.grpc.BindableService;
import io.grpc.Status;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.io.EOFException;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.zip.ZipException;

/**
 * gRPC services on the same port as REST, with reflection and {@code grpc.health.v1.Health}. Calls
 * run on event loops: services hand over what may take its time. Requests compressed by gzip are
 * read, and answered in kind.
 */
public final class GrpcEndpoint implements Endpoint {
  private static final Set<String> READ = Set.of("identity", "gzip");

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
            .intercept(new MirroredCompression())
            .useBlockingTaskExecutor(false)
            .useClientTimeoutHeader(true)
            .exceptionHandler((context, status, cause, metadata) -> unreadable(cause))
            .build(),
        service -> service.decorate(GrpcEndpoint::known));
  }

  /** As gRPC has it, a compression that this server does not know is UNIMPLEMENTED. */
  private static HttpResponse known(
      HttpService service, ServiceRequestContext context, HttpRequest request) throws Exception {
    String coding = request.headers().get(MirroredCompression.ENCODING);
    return coding == null || READ.contains(coding)
        ? service.serve(context, request)
        : Refusal.of(
            request.headers(),
            new ServingException(
                ServingException.Code.UNIMPLEMENTED,
                "A message is compressed by gzip or not at all, got grpc-encoding '"
                    + JsonFormat.shortened(coding)
                    + '\''));
  }

  /** A message that is none is the client's fault, not an INTERNAL one; null for other failures. */
  private static Status unreadable(Throwable cause) {
    for (Throwable t = cause; t != null; t = t.getCause()) {
      if (t instanceof ZipException || t instanceof EOFException) {
        return Status.INVALID_ARGUMENT.withDescription(
            "The message is not compressed as grpc-encoding says: " + t.getMessage());
      }
      if (t instanceof InvalidProtocolBufferException && !(t.getCause() instanceof IOException)) {
        return Status.INVALID_ARGUMENT.withDescription(
            "Invalid protobuf message: " + t.getMessage());
      }
    }
    return null;
  }
}
