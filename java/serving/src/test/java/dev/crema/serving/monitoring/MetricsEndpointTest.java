package dev.crema.serving.monitoring;

import static org.assertj.core.api.Assertions.assertThat;

import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.ServerBuilder;
import dev.crema.serving.http.EventLoops;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class MetricsEndpointTest {
  private static final String PROMETHEUS =
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
          + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

  @Test
  void theFormatIsThatWhichTheClientPrefers() throws Exception {
    AtomicInteger refreshed = new AtomicInteger();
    var registry = PrometheusMetrics.registry();
    new ServingMetrics().bindTo(registry);
    ServerBuilder builder = Server.builder().bossGroupFactory(name -> EventLoops.of(1, name));
    new MetricsEndpoint(registry, refreshed::incrementAndGet).addTo(builder);
    try (Server server = builder.build()) {
      server.start().join();
      HttpResponse<String> open = get(server, PROMETHEUS);
      assertThat(open.headers().firstValue("content-type").orElseThrow())
          .startsWith("application/openmetrics-text");
      assertThat(open.body()).endsWith("# EOF\n");
      for (String accept :
          new String[] {"text/plain", "*/*", "application/openmetrics-text;q=0.1,text/plain"}) {
        HttpResponse<String> text = get(server, accept);
        assertThat(text.statusCode()).isEqualTo(200);
        assertThat(text.headers().firstValue("content-type").orElseThrow())
            .startsWith("text/plain")
            .contains("version=0.0.4");
        assertThat(text.body()).contains("crema_build_info").doesNotContain("# EOF");
      }
      assertThat(refreshed).hasValue(4);
    } finally {
      registry.close();
    }
  }

  private static HttpResponse<String> get(Server server, String accept) throws Exception {
    URI uri = URI.create("http://127.0.0.1:" + server.activeLocalPort() + "/metrics");
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(uri).header("accept", accept).build(),
            HttpResponse.BodyHandlers.ofString());
  }
}
