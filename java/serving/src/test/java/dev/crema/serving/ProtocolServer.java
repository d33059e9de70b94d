package dev.crema.serving;

import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.ServerBuilder;
import dev.crema.serving.http.EventLoops;
import dev.crema.serving.protocol.ProtocolOptions;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** All protocols over {@link ExampleModels} on a free port of the loopback interface. */
public final class ProtocolServer implements AutoCloseable {
  public final ExampleModels models = new ExampleModels();
  private final Server server;
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private ManagedChannel channel;

  public ProtocolServer(ProtocolOptions options) {
    ServerBuilder builder =
        Server.builder()
            .bossGroupFactory(name -> EventLoops.of(1, name))
            .http(new InetSocketAddress("127.0.0.1", 0))
            .maxRequestLength(64 << 20)
            .requestTimeout(Duration.ofSeconds(30));
    new Protocols(models, models, options).addTo(builder);
    server = builder.build();
    server.start().join();
  }

  public int port() {
    return server.activeLocalPort();
  }

  /** A channel of grpc-java's own client. */
  public synchronized ManagedChannel channel() {
    if (channel == null) {
      channel =
          ManagedChannelBuilder.forAddress("127.0.0.1", port())
              .usePlaintext()
              .maxInboundMessageSize(64 << 20)
              .build();
    }
    return channel;
  }

  public HttpResponse<String> get(String path) {
    return send(request(path).GET());
  }

  public HttpResponse<String> post(String path, String body, String... headers) {
    HttpRequest.Builder request = request(path).POST(BodyPublishers.ofString(body));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return send(request);
  }

  public HttpResponse<String> send(HttpRequest.Builder request) {
    try {
      return http.send(request.build(), BodyHandlers.ofString(StandardCharsets.UTF_8));
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  public HttpResponse<byte[]> postBytes(String path, byte[] body, String... headers) {
    HttpRequest.Builder request = request(path).POST(BodyPublishers.ofByteArray(body));
    if (headers.length > 0) {
      request.headers(headers);
    }
    try {
      return http.send(request.build(), BodyHandlers.ofByteArray());
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  public HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port() + path))
        .timeout(Duration.ofSeconds(30));
  }

  @Override
  public void close() {
    if (channel != null) {
      channel.shutdownNow();
    }
    server.stop().join();
  }
}
