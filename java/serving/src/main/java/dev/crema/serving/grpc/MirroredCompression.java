package dev.crema.serving.grpc;

import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;

/**
 * Compresses the answers of those who compress their requests, the same way, if they say that they
 * read it. Who sends plain messages is near enough to have plain ones.
 */
final class MirroredCompression implements ServerInterceptor {
  static final String ENCODING = "grpc-encoding";

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata metadata, ServerCallHandler<Q, A> next) {
    RequestHeaders headers = ServiceRequestContext.current().request().headers();
    String coding = headers.get(ENCODING);
    if (coding != null
        && !coding.equals("identity")
        && accepts(headers.get("grpc-accept-encoding"), coding)) {
      call.setCompression(coding);
    }
    return next.startCall(call, metadata);
  }

  private static boolean accepts(String accepted, String coding) {
    if (accepted != null) {
      for (String each : accepted.split(",")) {
        if (each.strip().equals(coding)) {
          return true;
        }
      }
    }
    return false;
  }
}
