package dev.crema.serving;

import com.linecorp.armeria.client.WebClient;
import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.RequestHeaders;
import dev.crema.serving.protocol.ProtocolOptions;
import java.nio.ByteBuffer;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/** A server for broken messages, and clients that send whatever they are given. */
abstract class FuzzedServer {
  private static ProtocolServer server;
  static WebClient http1;
  static WebClient http2;

  @BeforeContainer
  static void start() {
    server = new ProtocolServer(ProtocolOptions.DEFAULT);
    http1 = WebClient.of("h1c://127.0.0.1:" + server.port());
    http2 = WebClient.of("h2c://127.0.0.1:" + server.port());
  }

  @AfterContainer
  static void stop() {
    server.close();
  }

  /** A message as gRPC frames it. */
  static ByteBuffer frame(boolean compressed, int length, byte[] message) {
    return ByteBuffer.allocate(5 + message.length)
        .put((byte) (compressed ? 1 : 0))
        .putInt(length)
        .put(message);
  }

  /**
   * Sends frames to a method.
   *
   * @param method as package.Service/Method
   * @return the answer; {@link #code} tells its status
   */
  static AggregatedHttpResponse call(String method, byte[] frames) {
    RequestHeaders headers =
        RequestHeaders.builder(HttpMethod.POST, "/" + method)
            .add("content-type", "application/grpc")
            .add("te", "trailers")
            .add("grpc-encoding", "gzip")
            .add("grpc-timeout", "20S")
            .build();
    return http2.execute(headers, HttpData.wrap(frames)).aggregate().join();
  }

  /** gRPC's status by its number; "none" if there is none. */
  static String code(AggregatedHttpResponse answer) {
    return answer.trailers().get("grpc-status", answer.headers().get("grpc-status", "none"));
  }
}
