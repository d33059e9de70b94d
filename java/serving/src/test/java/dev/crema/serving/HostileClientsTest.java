package dev.crema.serving;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.linecorp.armeria.common.HttpResponse;
import dev.crema.serving.security.Limits;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that no good client sends, byte by byte. */
@Timeout(60)
class HostileClientsTest {
  private static final Duration SOON = Duration.ofMillis(400);
  private static ModelServer usual;
  private static ModelServer impatient;

  @BeforeAll
  static void start() {
    usual = server(Limits.DEFAULT);
    impatient = server(Limits.DEFAULT.withTimeouts(SOON, SOON));
  }

  @AfterAll
  static void stop() {
    usual.close();
    impatient.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/../etc/passwd",
        "/v2/../etc/passwd",
        "/v2/models/../../etc/passwd",
        "/v2/models/%2e%2e/%2e%2e/etc/passwd",
        "/v2/models/..%2f..%2fetc%2fpasswd",
        "/v2/models/a%00b",
        "/v2/models/a%0d%0ab",
        "/v2/models/\u0000",
        "/v2/models/a\\..\\b",
        "//etc/passwd",
        "/%zz",
        "http://other.example/v2/models/x",
        "*",
        "etc/passwd",
      })
  void pathsThatLeadElsewhereLeadNowhere(String target) throws Exception {
    String answer =
        ask(usual, "GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assertThat(answer).matches("(?s)HTTP/1.1 (400|404) .*").doesNotContain("root:");
    assertThat(lives(usual)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET / HTTP/9.9\r\n\r\n",
        "\u0000\u0001\u0002\u0003\r\n\r\n",
        "GET /healthz\r\n\r\n",
        "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nxxxxx",
        "POST /length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET /healthz HTTP/1.1\r\nHost : x\r\nbad header\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense that is no frame at all, but long enough for one",
      })
  void nonsenseIsRefusedAndHarmless(String bytes) throws Exception {
    assertThat(ask(impatient, bytes)).doesNotContain("HTTP/1.1 200", "HTTP/1.1 5", "Exception");
    assertThat(lives(impatient)).isTrue();
  }

  @Test
  void headersAreLimited() throws Exception {
    try (ModelServer server = server(Limits.DEFAULT.withHeaderBytes(1000))) {
      String some = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
      assertThat(ask(server, some + "X: " + "x".repeat(500) + "\r\n\r\n"))
          .startsWith("HTTP/1.1 200");
      assertThat(ask(server, some + "X: " + "x".repeat(1500) + "\r\n\r\n"))
          .startsWith("HTTP/1.1 431");
    }
  }

  @Test
  void whoSendsABodyTooSlowlyIsCutOff() throws Exception {
    try (ModelServer server = server(Limits.DEFAULT.withTimeouts(SOON, Duration.ofSeconds(20)));
        Socket socket = new Socket("127.0.0.1", server.port())) {
      socket
          .getOutputStream()
          .write(
              "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx"
                  .getBytes(ISO_8859_1));
      assertThat(trickle(socket, 'x')).startsWith("HTTP/1.1 408");
      assertThat(server.inFlight()).isZero();
      assertThat(lives(server)).isTrue();
    }
  }

  @Test
  void whoSendsHeadersTooSlowlyIsCutOff() throws Exception {
    try (Socket socket = new Socket("127.0.0.1", impatient.port())) {
      socket.getOutputStream().write("GET /healthz HTTP/1.1\r\nX: ".getBytes(ISO_8859_1));
      trickle(socket, 'x');
      assertThat(lives(impatient)).isTrue();
    }
  }

  @Test
  void whoSaysNothingIsCutOff() throws Exception {
    try (Socket socket = new Socket("127.0.0.1", impatient.port())) {
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }
  }

  @Test
  void connectionsAreLimited() throws Exception {
    List<Socket> open = new ArrayList<>();
    try (ModelServer server = server(Limits.DEFAULT.withConnections(3))) {
      for (int i = 0; i < 3; i++) {
        open.add(new Socket("127.0.0.1", server.port()));
        assertThat(answered(open.get(i))).isTrue();
      }
      try (Socket tooMany = new Socket("127.0.0.1", server.port())) {
        assertThat(answered(tooMany)).isFalse();
      }
      assertThat(answered(open.get(0))).isTrue();
    } finally {
      for (Socket socket : open) {
        socket.close();
      }
    }
  }

  private static ModelServer server(Limits limits) {
    return ModelServer.builder(new NoModels())
        .port(0)
        .limits(limits)
        .endpoint(
            builder ->
                builder.service(
                    "/length",
                    (ctx, req) ->
                        HttpResponse.of(
                            req.aggregate()
                                .thenApply(all -> HttpResponse.of("" + all.content().length())))))
        .build()
        .start();
  }

  /** Sends a byte every 100 ms until the server ends the connection, within 50; what it said. */
  private static String trickle(Socket socket, char what) throws Exception {
    socket.setSoTimeout(100);
    StringBuilder answer = new StringBuilder();
    for (int sent = 0; sent < 50; ) {
      try {
        int read = socket.getInputStream().read();
        if (read < 0) {
          return answer.toString();
        }
        answer.append((char) read);
      } catch (java.net.SocketTimeoutException e) {
        try {
          socket.getOutputStream().write(what);
          sent++;
        } catch (IOException closed) {
          return answer.toString();
        }
      } catch (IOException reset) {
        return answer.toString();
      }
    }
    throw new AssertionError("It still reads, having said: " + answer);
  }

  private static boolean answered(Socket socket) throws IOException {
    try {
      socket
          .getOutputStream()
          .write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(ISO_8859_1));
      StringBuilder answer = new StringBuilder();
      for (int read; answer.indexOf("ok\n") < 0 && (read = socket.getInputStream().read()) >= 0; ) {
        answer.append((char) read);
      }
      return answer.indexOf("HTTP/1.1 200") == 0;
    } catch (IOException e) {
      return false;
    }
  }

  private static boolean lives(ModelServer server) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", server.port())) {
      return answered(socket);
    }
  }

  private static String ask(ModelServer server, String bytes) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", server.port())) {
      socket.getOutputStream().write(bytes.getBytes(ISO_8859_1));
      StringBuilder answer = new StringBuilder();
      try (InputStream in = socket.getInputStream()) {
        for (int read; (read = in.read()) >= 0; ) {
          answer.append((char) read);
        }
      } catch (IOException reset) {
        answer.append("(reset)");
      }
      return answer.toString();
    }
  }
}
