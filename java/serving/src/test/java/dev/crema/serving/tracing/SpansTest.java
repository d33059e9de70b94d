package dev.crema.serving.tracing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.linecorp.armeria.client.WebClient;
import com.linecorp.armeria.client.grpc.GrpcClients;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.RequestHeadersBuilder;
import com.linecorp.armeria.server.ServerBuilder;
import dev.crema.CremaException;
import dev.crema.serving.ModelServer;
import dev.crema.serving.NoModels;
import dev.crema.serving.Served;
import dev.crema.serving.config.Assembly;
import dev.crema.serving.config.Overrides;
import dev.crema.serving.config.ServerConfig;
import dev.crema.serving.protocols.inference.GRPCInferenceServiceGrpc.GRPCInferenceServiceBlockingStub;
import dev.crema.serving.protocols.inference.ModelInferRequest;
import io.grpc.StatusRuntimeException;
import io.opentelemetry.api.OpenTelemetry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Spans of a server as a collector gets them. */
@Timeout(120)
class SpansTest {
  private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
  private static final String CALLER = "b7ad6b7169203331";
  private static final String GOOD = "{\"instances\": [[1, 2, 3, 4]]}";
  private static final long SERVER = 2; // the kind
  private static final long ERROR = 2; // the status

  @TempDir private Path folder;

  private interface Requests {
    void send(ModelServer server);
  }

  /** What a collector has after a server that was set up so has answered requests, and closed. */
  private void serve(String yaml, Map<String, String> environment, Requests requests) {
    Served.adder(folder.resolve("models"), "digits", 3);
    ServerConfig config =
        ServerConfig.parse(
            "server.yaml", yaml, folder, new Overrides(Map.of(), Map.of("server.port", "0")));
    try (Spans spans = Spans.of(config.tracing(), environment);
        ModelServer server = Assembly.build(config, spans.telemetry()).start()) {
      requests.send(server);
    }
  }

  private static void predict(ModelServer server, String path, String body, String traceparent) {
    RequestHeadersBuilder headers = RequestHeaders.builder(HttpMethod.POST, path);
    headers.add("x-request-id", "r-17");
    if (!traceparent.isEmpty()) {
      headers.add("traceparent", traceparent);
    }
    HttpRequest request = HttpRequest.of(headers.build(), HttpData.ofUtf8(body));
    WebClient.of(server.uri()).execute(request).aggregate().join();
  }

  private static String traceparent(boolean recorded) {
    return "00-" + TRACE + '-' + CALLER + (recorded ? "-01" : "-00");
  }

  @Test
  void aRequestsSpanIsChildOfItsCallersAndSaysWhatWasDone() throws IOException {
    try (Collector collector = new Collector()) {
      serve(
          "tracing: {endpoint: '" + collector.endpoint() + "'}",
          Map.of(),
          server -> {
            predict(server, "/v1/models/digits:predict", GOOD, traceparent(true));
            predict(server, "/v1/models/nobody:predict", GOOD, "");
          });
      List<Collector.Received> spans = collector.await(2);
      Collector.Received span = spans.get(0);
      assertThat(span.service()).isEqualTo("crema");
      assertThat(span.trace()).isEqualTo(TRACE);
      assertThat(span.parent()).isEqualTo(CALLER);
      assertThat(span.name()).isEqualTo("POST /v1/models/:model");
      assertThat(span.kind()).isEqualTo(SERVER);
      assertThat(span.status()).isZero();
      assertThat(span.nanos()).isPositive();
      assertThat(span.attributes())
          .containsEntry("http.request.method", "POST")
          .containsEntry("http.route", "/v1/models/:model")
          .containsEntry("url.path", "/v1/models/digits:predict")
          .containsEntry("url.scheme", "http")
          .containsEntry("client.address", "127.0.0.1")
          .containsEntry("http.response.status_code", "200")
          .containsEntry("crema.model.name", "digits")
          .containsEntry("crema.model.version", "3")
          .containsEntry("crema.protocol", "tfs-rest")
          .containsEntry("crema.request.id", "r-17")
          .containsEntry("crema.batch.examples", "1")
          .containsKeys("crema.queue.seconds", "crema.compute.seconds");
      Collector.Received alone = spans.get(1);
      assertThat(alone.parent()).isEmpty();
      assertThat(alone.trace()).hasSize(32).isNotEqualTo(TRACE);
      assertThat(alone.id()).hasSize(16).isNotEqualTo(span.id());
      assertThat(alone.attributes())
          .containsEntry("http.response.status_code", "404")
          .containsEntry("crema.model.name", "nobody")
          .containsEntry("crema.error.code", "NOT_FOUND");
    }
  }

  @Test
  void callsOfGrpcAreNamedAfterTheirMethods() throws IOException {
    try (Collector collector = new Collector()) {
      serve(
          "tracing: {endpoint: '" + collector.endpoint() + "', service_name: scores}",
          Map.of(),
          server -> {
            GRPCInferenceServiceBlockingStub stub =
                GrpcClients.newClient(
                    "gproto+" + server.uri(), GRPCInferenceServiceBlockingStub.class);
            ModelInferRequest empty = ModelInferRequest.newBuilder().setModelName("digits").build();
            assertThatThrownBy(() -> stub.modelInfer(empty))
                .isInstanceOf(StatusRuntimeException.class);
          });
      Collector.Received span = collector.await(1).get(0);
      assertThat(span.service()).isEqualTo("scores");
      assertThat(span.name()).isEqualTo("inference.GRPCInferenceService/ModelInfer");
      assertThat(span.status()).as("the client's fault").isZero();
      assertThat(span.attributes())
          .containsEntry("rpc.system", "grpc")
          .containsEntry("rpc.service", "inference.GRPCInferenceService")
          .containsEntry("rpc.method", "ModelInfer")
          .containsEntry("rpc.grpc.status_code", "3")
          .containsEntry("crema.error.code", "INVALID_ARGUMENT");
    }
  }

  @Test
  void callersSayWhetherTheirTracesAreRecordedAndTheShareWhichOthersAre() throws IOException {
    try (Collector collector = new Collector()) {
      serve(
          "tracing: {endpoint: '" + collector.endpoint() + "', sample: 0}",
          Map.of(),
          server -> {
            predict(server, "/v1/models/digits:predict", GOOD, "");
            predict(server, "/v1/models/digits:predict", GOOD, traceparent(false));
            predict(server, "/v1/models/digits:predict", GOOD, traceparent(true));
          });
      assertThat(collector.await(1)).extracting(Collector.Received::parent).containsExactly(CALLER);
    }
  }

  @Test
  void theEnvironmentAsOpenTelemetryHasItComesFirst() throws IOException {
    try (Collector collector = new Collector()) {
      serve(
          "tracing: {endpoint: 'http://127.0.0.1:9', service_name: file, sample: 0}",
          Map.of(
              "OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint(),
              "OTEL_EXPORTER_OTLP_HEADERS", "api-key=secret",
              "OTEL_TRACES_SAMPLER", "parentbased_always_on",
              "OTEL_SERVICE_NAME", "environment"),
          server -> predict(server, "/v1/models/digits:predict", GOOD, ""));
      assertThat(collector.await(1))
          .extracting(Collector.Received::service)
          .containsExactly("environment");
      assertThat(collector.keys).containsExactly("secret");
    }
  }

  @Test
  void aFailureOfTheServerIsOneOfTheSpan() throws IOException {
    try (Collector collector = new Collector()) {
      try (Spans spans = Spans.of(new SpanSettings(collector.endpoint(), 1, "x"), Map.of());
          ModelServer server =
              ModelServer.builder(new NoModels())
                  .port(0)
                  .telemetry(spans.telemetry())
                  .endpoint(SpansTest::broken)
                  .build()
                  .start()) {
        assertThat(WebClient.of(server.uri()).get("/broken").aggregate().join().status().code())
            .isEqualTo(500);
      }
      assertThat(collector.await(1)).extracting(Collector.Received::status).containsExactly(ERROR);
    }
  }

  private static void broken(ServerBuilder builder) {
    builder.service(
        "/broken",
        (ctx, req) -> {
          throw new IllegalStateException("no");
        });
  }

  @Test
  void withoutACollectorThereIsNoSdk() {
    for (Map<String, String> off :
        List.of(
            Map.<String, String>of(),
            Map.of("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
            Map.of("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:4318", "OTEL_SDK_DISABLED", "true"),
            Map.of(
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://h:4318",
                "OTEL_TRACES_EXPORTER", "none"))) {
      try (Spans spans = Spans.of(SpanSettings.DEFAULT, off)) {
        assertThat(spans.isOn()).as("%s", off).isFalse();
        assertThat(spans.telemetry()).isSameAs(OpenTelemetry.noop());
      }
    }
  }

  @Test
  void whatCantBeMeantSoIsRefusedByName() {
    SpanSettings settings = new SpanSettings("http://127.0.0.1:9", 1, "x");
    assertThatThrownBy(() -> Spans.of(settings, Map.of("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")))
        .isInstanceOf(CremaException.class)
        .hasMessageContainingAll("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf", "4318");
    assertThatThrownBy(() -> Spans.of(settings, Map.of("OTEL_TRACES_SAMPLER", "sometimes")))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("sometimes");
    assertThatThrownBy(() -> new SpanSettings("", 2, "x"))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
