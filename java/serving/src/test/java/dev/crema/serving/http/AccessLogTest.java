package dev.crema.serving.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.linecorp.armeria.client.WebClient;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.server.Server;
import io.opentelemetry.api.OpenTelemetry;
import java.net.InetSocketAddress;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Lines of requests as they are written when their answers have gone. */
@Timeout(60)
class AccessLogTest {
  private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

  private void serve(double share, String... paths) {
    AccessLog log = new AccessLog(share, lines::add);
    Tracing tracing = new Tracing(OpenTelemetry.noop());
    try (Server server =
        Server.builder()
            .http(new InetSocketAddress("127.0.0.1", 0))
            .bossGroupFactory(name -> EventLoops.of(1, name))
            .service("/good", (ctx, req) -> HttpResponse.of(req.aggregate().thenApply(r -> text())))
            .service("/call", (ctx, req) -> HttpResponse.of(grpc()))
            .service("/bad", (ctx, req) -> HttpResponse.of(500))
            .decorator(service -> tracing.around(log.around(service)))
            .build()) {
      server.start().join();
      WebClient client = WebClient.of("http://127.0.0.1:" + server.activeLocalPort());
      for (String path : paths) {
        RequestHeaders headers =
            RequestHeaders.builder(HttpMethod.POST, path)
                .add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
                .add("user-agent", "a \"client\" {}")
                .build();
        client.execute(HttpRequest.of(headers, HttpData.ofUtf8("12345"))).aggregate().join();
      }
    }
  }

  private static HttpResponse text() {
    return HttpResponse.of("seven..");
  }

  private static ResponseHeaders grpc() {
    return ResponseHeaders.builder(200).add("grpc-status", "3").endOfStream(true).build();
  }

  private JsonNode line() throws Exception {
    String line = lines.poll(30, TimeUnit.SECONDS);
    assertThat(line).isNotNull().doesNotContain("\n");
    return new ObjectMapper().readTree(line);
  }

  @Test
  void aRequestIsALineOfJson() throws Exception {
    serve(1, "/good");
    JsonNode line = line();
    assertThat(line.fieldNames())
        .toIterable()
        .containsExactly(
            "time",
            "remote",
            "protocol",
            "method",
            "path",
            "status",
            "request_bytes",
            "response_bytes",
            "micros",
            "trace_id",
            "span_id",
            "user_agent");
    assertThat(line.get("remote").textValue()).isEqualTo("127.0.0.1");
    assertThat(line.get("method").textValue()).isEqualTo("POST");
    assertThat(line.get("path").textValue()).isEqualTo("/good");
    assertThat(line.get("status").intValue()).isEqualTo(200);
    assertThat(line.get("request_bytes").intValue()).isEqualTo(5);
    assertThat(line.get("response_bytes").intValue()).isEqualTo(7);
    assertThat(line.get("micros").longValue()).isNotNegative();
    assertThat(line.get("trace_id").textValue()).isEqualTo("0af7651916cd43dd8448eb211c80319c");
    assertThat(line.get("span_id").textValue()).isEqualTo("b7ad6b7169203331");
    assertThat(line.get("user_agent").textValue()).isEqualTo("a \"client\" {}");
  }

  @Test
  void callsOfGrpcHaveTheirCode() throws Exception {
    serve(1, "/call");
    assertThat(line().get("grpc_status").textValue()).isEqualTo("3");
  }

  @Test
  void theServersFailuresAreLoggedWhateverTheShare() throws Exception {
    serve(1e-300, "/good", "/bad", "/good");
    assertThat(line().get("status").intValue()).isEqualTo(500);
    assertThat(lines).isEmpty();
    serve(0, "/bad");
    assertThat(lines).as("off").isEmpty();
  }
}
