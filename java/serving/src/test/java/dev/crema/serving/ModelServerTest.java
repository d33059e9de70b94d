package dev.crema.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import dev.crema.CremaException;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.repository.VersionStatus;
import dev.crema.serving.security.Limits;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ModelServerTest {
  private final HttpClient client = HttpClient.newHttpClient();

  @Test
  void saysThatItIsAliveAndReady() throws Exception {
    try (ModelServer server = server(Map.of()).build().start()) {
      assertThat(get(server, "/healthz").statusCode()).isEqualTo(200);
      assertThat(get(server, "/readyz").body()).isEqualTo("ok\n");
      assertThat(server.uri().getHost()).isEqualTo("127.0.0.1");
    }
  }

  @Test
  void isNotReadyWhileAModelHasNoVersionThatServes() throws Exception {
    Map<String, VersionStatus.State> states = new ConcurrentHashMap<>();
    states.put("good", VersionStatus.State.AVAILABLE);
    states.put("digits", VersionStatus.State.LOADING);
    try (ModelServer server = server(states).build().start()) {
      var response = get(server, "/readyz");
      assertThat(response.statusCode()).isEqualTo(503);
      assertThat(response.body()).contains("digits").doesNotContain("good");
      assertThat(get(server, "/healthz").statusCode()).isEqualTo(200);

      states.put("digits", VersionStatus.State.AVAILABLE);
      assertThat(get(server, "/readyz").statusCode()).isEqualTo(200);
    }
  }

  /** What clients of HTTP/1.0 and those that send one request a connection wait for. */
  @Test
  void closesAConnectionBehindItsLastAnswer() throws Exception {
    String close = "Host: x\r\nConnection: close\r\n\r\n";
    try (ModelServer server = server(Map.of()).endpoint(text("/who", "me")).build().start()) {
      for (String requests :
          List.of(
              "GET /readyz HTTP/1.0\r\n\r\n",
              "GET /readyz HTTP/1.1\r\n" + close,
              "GET /nothing HTTP/1.1\r\n" + close,
              "HEAD /who HTTP/1.1\r\n" + close,
              "GET /who HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3) + "GET /who HTTP/1.1\r\n" + close)) {
        try (Socket socket = new Socket("127.0.0.1", server.port())) {
          socket.setSoTimeout(20_000);
          socket.getOutputStream().write(requests.getBytes(StandardCharsets.US_ASCII));
          String answers =
              new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
          assertThat(answers.split("HTTP/1.1 ", -1)).hasSize(requests.split("HTTP/1", -1).length);
        }
      }
    }
  }

  @Test
  void severalServersLiveBesideEachOtherAndCloseAlone() throws Exception {
    ModelServer first = server(Map.of()).endpoint(text("/who", "first")).build().start();
    ModelServer second = server(Map.of()).endpoint(text("/who", "second")).build().start();
    assertThat(get(first, "/who").body()).isEqualTo("first");
    first.close();
    assertThat(get(second, "/who").body()).isEqualTo("second");
    second.close();
    first.close(); // does nothing
  }

  @Test
  void aPortCanBeTakenAgainOnceItsServerIsClosed() throws Exception {
    ModelServer first = server(Map.of()).build().start();
    int port = first.port();
    first.close();
    try (ModelServer again = server(Map.of()).port(port).build().start()) {
      assertThat(again.port()).isEqualTo(port);
      assertThat(get(again, "/healthz").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void aPortInUseIsAnErrorThatSaysSo() {
    try (ModelServer first = server(Map.of()).build().start();
        ModelServer second = server(Map.of()).port(first.port()).build()) {
      assertThatThrownBy(second::start)
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("port " + first.port())
          .hasMessageContaining("in use");
    }
  }

  @Test
  void isStartedOnce() {
    ModelServer server = server(Map.of()).build();
    assertThatThrownBy(server::port).isInstanceOf(IllegalStateException.class);
    server.start();
    assertThatThrownBy(server::start).isInstanceOf(IllegalStateException.class);
    server.close();
    assertThatThrownBy(server::start).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(server::port).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void whatRunsIsAnsweredBeforeItCloses() throws Exception {
    CompletableFuture<HttpResponse> held = new CompletableFuture<>();
    CountDownLatch asked = new CountDownLatch(1);
    AtomicBoolean othersClosed = new AtomicBoolean();
    ModelServer server =
        server(Map.of())
            .endpoint(
                builder ->
                    builder.service(
                        "/slow",
                        (ctx, req) -> {
                          asked.countDown();
                          return HttpResponse.of(held);
                        }))
            .closing(() -> othersClosed.set(true))
            .build()
            .start();
    URI uri = server.uri();
    var answer =
        client.sendAsync(
            HttpRequest.newBuilder(uri.resolve("/slow")).build(),
            java.net.http.HttpResponse.BodyHandlers.ofString());
    asked.await();
    CompletableFuture<Void> closed = CompletableFuture.runAsync(server::close);
    while (server.notReady().isEmpty()) {
      Thread.onSpinWait();
    }
    assertThat(server.inFlight()).isEqualTo(1);
    var late = get(uri, "/slow");
    assertThat(late.statusCode()).isEqualTo(503);
    assertThat(late.headers().firstValue("retry-after")).isPresent();
    assertThat(get(uri, "/readyz").statusCode()).isEqualTo(503);
    assertThat(get(uri, "/healthz").statusCode()).isEqualTo(200);
    assertThat(closed).isNotDone();
    assertThat(othersClosed).isFalse();

    held.complete(HttpResponse.of("done"));
    assertThat(answer.join().body()).isEqualTo("done");
    closed.join();
    assertThat(othersClosed).isTrue();
    assertThat(server.inFlight()).isZero();
  }

  @Test
  void aDrainThatTakesTooLongEnds() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    ModelServer server =
        server(Map.of())
            .drain(Duration.ofMillis(200))
            .endpoint(
                builder ->
                    builder.service(
                        "/never",
                        (ctx, req) -> {
                          asked.countDown();
                          return HttpResponse.of(new CompletableFuture<>());
                        }))
            .build()
            .start();
    var answer =
        client.sendAsync(
            HttpRequest.newBuilder(server.uri().resolve("/never")).build(),
            java.net.http.HttpResponse.BodyHandlers.ofString());
    asked.await();
    server.close();
    assertThat(answer.handle((a, e) -> e != null || a.statusCode() == 503).join()).isTrue();
  }

  @Test
  void noticeKeepsAnsweringWhileNotReady() throws Exception {
    ModelServer server =
        server(Map.of())
            .notice(Duration.ofMillis(700))
            .endpoint(text("/who", "me"))
            .build()
            .start();
    URI uri = server.uri();
    CompletableFuture<Void> closed = CompletableFuture.runAsync(server::close);
    while (server.notReady().isEmpty()) {
      Thread.onSpinWait();
    }
    assertThat(get(uri, "/readyz").statusCode()).isEqualTo(503);
    assertThat(get(uri, "/who").body()).isEqualTo("me");
    closed.join();
  }

  @Test
  void answersOnlyOnLoopbackUnlessTold() throws Exception {
    try (ModelServer server = server(Map.of()).build().start();
        ModelServer open =
            server(Map.of()).address(InetAddress.getByName("0.0.0.0")).build().start()) {
      assertThat(open.uri().getHost()).isEqualTo("127.0.0.1");
      assertThat(get(open, "/healthz").statusCode()).isEqualTo(200);
      assertThat(server.uri().getHost()).isEqualTo("127.0.0.1");
    }
  }

  @Test
  void saysNothingOfItsInside() throws Exception {
    try (ModelServer server =
        server(Map.of())
            .endpoint(
                builder ->
                    builder
                        .service(
                            "/broken",
                            (ctx, req) -> {
                              throw new IllegalStateException("secret detail");
                            })
                        .service(
                            "/refused",
                            (ctx, req) -> {
                              throw ServingException.invalidArgument("Input \"x\" is missing");
                            }))
            .build()
            .start()) {
      var broken = get(server, "/broken");
      assertThat(broken.statusCode()).isEqualTo(500);
      assertThat(broken.body()).isEqualTo("{\"error\":\"Internal Server Error\"}");
      assertThat(broken.headers().firstValue("server")).isEmpty();
      var refused = get(server, "/refused");
      assertThat(refused.statusCode()).isEqualTo(400);
      assertThat(refused.body()).isEqualTo("{\"error\":\"Input \\\"x\\\" is missing\"}");
      var nothing = get(server, "/internal/docs/");
      assertThat(nothing.statusCode()).isEqualTo(404);
      assertThat(nothing.body()).contains("/internal/docs/");
    }
  }

  @Test
  void limitsBodiesAndRequestsInFlight() throws Exception {
    CompletableFuture<HttpResponse> held = new CompletableFuture<>();
    CountDownLatch asked = new CountDownLatch(1);
    try (ModelServer server =
        server(Map.of())
            .limits(Limits.DEFAULT.withInFlight(1).withRequestBytes(100))
            .endpoint(
                builder ->
                    builder
                        .service(
                            "/slow",
                            (ctx, req) -> {
                              asked.countDown();
                              return HttpResponse.of(held);
                            })
                        .service(
                            "/length",
                            (ctx, req) ->
                                HttpResponse.of(
                                    req.aggregate()
                                        .thenApply(
                                            all -> HttpResponse.of("" + all.content().length())))))
            .build()
            .start()) {
      assertThat(post(server, "/length", "x".repeat(100)).body()).isEqualTo("100");
      var tooLong = post(server, "/length", "x".repeat(101));
      assertThat(tooLong.statusCode()).isEqualTo(413);
      assertThat(tooLong.body()).contains("100 bytes");

      var answer =
          client.sendAsync(
              HttpRequest.newBuilder(server.uri().resolve("/slow")).build(),
              java.net.http.HttpResponse.BodyHandlers.ofString());
      asked.await();
      var refused = post(server, "/length", "x");
      assertThat(refused.statusCode()).isEqualTo(429);
      assertThat(refused.headers().firstValue("retry-after")).contains("1");
      assertThat(get(server, "/healthz").statusCode()).isEqualTo(200);
      held.complete(HttpResponse.of(HttpStatus.OK, MediaType.PLAIN_TEXT_UTF_8, "done"));
      assertThat(answer.join().body()).isEqualTo("done");
    }
  }

  private static ModelServer.Builder server(Map<String, VersionStatus.State> states) {
    return ModelServer.builder(new NoModels(states)).port(0);
  }

  private static Endpoint text(String path, String text) {
    return builder -> builder.service(path, (ctx, req) -> HttpResponse.of(text));
  }

  private java.net.http.HttpResponse<String> get(ModelServer server, String path)
      throws IOException, InterruptedException {
    return get(server.uri(), path);
  }

  private java.net.http.HttpResponse<String> get(URI server, String path)
      throws IOException, InterruptedException {
    return client.send(
        HttpRequest.newBuilder(server.resolve(path)).build(),
        java.net.http.HttpResponse.BodyHandlers.ofString());
  }

  private java.net.http.HttpResponse<String> post(ModelServer server, String path, String body)
      throws IOException, InterruptedException {
    return client.send(
        HttpRequest.newBuilder(server.uri().resolve(path))
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build(),
        java.net.http.HttpResponse.BodyHandlers.ofString());
  }
}
