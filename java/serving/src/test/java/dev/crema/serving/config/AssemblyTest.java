package dev.crema.serving.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.linecorp.armeria.client.WebClient;
import com.linecorp.armeria.client.grpc.GrpcClients;
import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.RequestHeadersBuilder;
import dev.crema.CremaException;
import dev.crema.serving.ModelServer;
import dev.crema.serving.Served;
import dev.crema.serving.protocols.inference.GRPCInferenceServiceGrpc.GRPCInferenceServiceBlockingStub;
import dev.crema.serving.protocols.inference.InferTensorContents;
import dev.crema.serving.protocols.inference.ModelInferRequest;
import dev.crema.serving.protocols.inference.ModelMetadataRequest;
import dev.crema.serving.protocols.inference.RepositoryModelUnloadRequest;
import dev.crema.serving.security.ApiKey;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.opentelemetry.api.OpenTelemetry;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Servers as server.yaml makes them, asked as clients ask them. */
@Timeout(120)
class AssemblyTest {
  private static final String INSTANCES = "{\"instances\": [[1, 2, 3, 4]]}";
  private static final String SUM = "{\"predictions\":[[1010.0]]}";

  @TempDir private Path folder;

  @BeforeEach
  void saveModels() {
    Served.adder(folder.resolve("models"), "digits", 1);
    Served.adder(folder.resolve("models"), "other", 1);
  }

  private ModelServer serve(String yaml) {
    return Assembly.build(
            ServerConfig.parse(
                "server.yaml", yaml, folder, new Overrides(Map.of(), Map.of("server.port", "0"))),
            OpenTelemetry.noop())
        .start();
  }

  @Test
  void aServerWithoutSettingsAnswersAllProtocolsAndMetrics() {
    try (ModelServer server = serve("{}")) {
      assertThat(predict(server, "digits", null).replaceAll("\\s", "")).isEqualTo(SUM);
      assertThat(infer(stub(server, null), "digits")).isEqualTo(1010);
      assertThat(get(server, "/readyz", null).status().code()).isEqualTo(200);
      assertThat(get(server, "/metrics", null).contentUtf8())
          .contains("crema_requests", "jvm_memory");
      assertThat(get(server, "/v2/models/digits", null).contentUtf8()).contains("\"FP32\"");
      AggregatedHttpResponse unload =
          send(server, HttpMethod.POST, "/v2/repository/models/digits/unload", null, "");
      assertThat(unload.status().code()).isEqualTo(403);
    }
  }

  @Test
  void keysOpenWhatTheirScopesSayOverHttpAndGrpc() {
    ApiKey web = ApiKey.create();
    ApiKey operator = ApiKey.create();
    String yaml =
        """
        security:
          keys:
            - {name: web, hash: '%s', scopes: ['predict:digits']}
            - {name: operator, hash: '%s', scopes: [admin, metadata]}
        """
            .formatted(web.hash(), operator.hash());
    try (ModelServer server = serve(yaml)) {
      assertThat(predict(server, "digits", web).replaceAll("\\s", "")).isEqualTo(SUM);
      assertThat(status(server, "digits", null)).isEqualTo(401);
      assertThat(status(server, "other", web)).isEqualTo(403);
      assertThat(status(server, "digits", operator)).isEqualTo(403);

      assertThat(infer(stub(server, web), "digits")).isEqualTo(1010);
      assertThat(code(() -> infer(stub(server, web), "other")))
          .isEqualTo(Status.Code.PERMISSION_DENIED);
      assertThat(code(() -> infer(stub(server, null), "digits")))
          .isEqualTo(Status.Code.UNAUTHENTICATED);
      assertThat(code(() -> metadata(stub(server, web)))).isEqualTo(Status.Code.PERMISSION_DENIED);
      assertThat(metadata(stub(server, operator))).isEqualTo("digits");

      var unload = RepositoryModelUnloadRequest.newBuilder().setModelName("digits").build();
      assertThat(code(() -> stub(server, web).repositoryModelUnload(unload)))
          .isEqualTo(Status.Code.PERMISSION_DENIED);
      assertThat(status(server, "digits", web)).isEqualTo(200);
      assertThat(stub(server, operator).repositoryModelUnload(unload)).isNotNull();
      assertThat(status(server, "digits", web)).isEqualTo(404);
      for (String path : List.of("/readyz", "/v2/health/ready")) {
        assertThat(get(server, path, null).status().code()).as("'other' serves on").isEqualTo(200);
      }
      assertThat(get(server, "/v2/models/digits/ready", operator).status().code()).isEqualTo(503);
      String load = "/v2/repository/models/digits/load";
      assertThat(send(server, HttpMethod.POST, load, operator, "{}").status().code())
          .isEqualTo(200);
      assertThat(status(server, "digits", web)).isEqualTo(200);
    }
  }

  /** Clients hammer; the server closes; what it took on is answered right, and no client hangs. */
  @Test
  void aDrainLosesNoRequestThatWasTaken() throws Exception {
    ModelServer server = serve("server: {notice: 300ms}");
    URI uri = server.uri();
    AtomicInteger right = new AtomicInteger();
    AtomicInteger refused = new AtomicInteger();
    AtomicBoolean closed = new AtomicBoolean();
    List<String> wrong = new ArrayList<>();
    List<Thread> clients = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      Thread client =
          new Thread(
              () -> {
                WebClient web = WebClient.of(uri);
                while (!closed.get()) {
                  try {
                    AggregatedHttpResponse answer =
                        web.blocking().post("/v1/models/digits:predict", INSTANCES);
                    if (answer.status().code() == 503) {
                      refused.incrementAndGet();
                    } else if (answer.contentUtf8().replaceAll("\\s", "").equals(SUM)) {
                      right.incrementAndGet();
                    } else {
                      synchronized (wrong) {
                        wrong.add(answer.status() + " " + answer.contentUtf8());
                      }
                    }
                  } catch (RuntimeException e) {
                    // Not connected: never taken. It ends when the server has.
                    if (!server.notReady().equals("stopping")) {
                      synchronized (wrong) {
                        wrong.add("" + e);
                      }
                    }
                  }
                }
              });
      client.start();
      clients.add(client);
    }
    while (right.get() < 50) {
      Thread.sleep(5);
    }
    CompletableFuture<Void> closing = CompletableFuture.runAsync(server::close);
    while (server.notReady().isEmpty()) {
      Thread.sleep(1);
    }
    int before = right.get();
    closing.join();
    closed.set(true);
    for (Thread client : clients) {
      client.join();
    }
    assertThat(wrong).isEmpty();
    assertThat(right.get()).isGreaterThan(before); // the notice still answers
  }

  @Test
  void aServerCanBeMadeAgainAtOnce() {
    for (int i = 0; i < 3; i++) {
      try (ModelServer server = serve("monitoring: {metrics: false}")) {
        assertThat(status(server, "digits", null)).isEqualTo(200);
        assertThat(get(server, "/metrics", null).status().code()).isEqualTo(404);
      }
    }
  }

  @Test
  void whatIsMissingIsSaidAndLeavesNothingOpen() {
    assertThatThrownBy(() -> serve("models: {root: none}"))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("none");
    assertThatThrownBy(() -> serve("models: {trusted_keys: [no.pem]}"))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("no.pem");
    assertThatThrownBy(() -> serve("security: {tls: {certificate: a.pem, key: b.pem}}"))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("a.pem");
    assertThatThrownBy(() -> serve("server: {host: no.such.host.invalid}"))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("no.such.host.invalid");
  }

  private static String predict(ModelServer server, String model, ApiKey key) {
    return send(server, HttpMethod.POST, "/v1/models/" + model + ":predict", key, INSTANCES)
        .contentUtf8();
  }

  private static int status(ModelServer server, String model, ApiKey key) {
    return send(server, HttpMethod.POST, "/v1/models/" + model + ":predict", key, INSTANCES)
        .status()
        .code();
  }

  private static AggregatedHttpResponse get(ModelServer server, String path, ApiKey key) {
    return send(server, HttpMethod.GET, path, key, "");
  }

  private static AggregatedHttpResponse send(
      ModelServer server, HttpMethod method, String path, ApiKey key, String body) {
    RequestHeadersBuilder headers = RequestHeaders.builder(method, path);
    if (key != null) {
      headers.set("authorization", "Bearer " + key.key());
    }
    return WebClient.of(server.uri())
        .execute(HttpRequest.of(headers.build(), com.linecorp.armeria.common.HttpData.ofUtf8(body)))
        .aggregate()
        .join();
  }

  private static GRPCInferenceServiceBlockingStub stub(ModelServer server, ApiKey key) {
    var builder = GrpcClients.builder("gproto+" + server.uri() + "/");
    if (key != null) {
      builder.setHeader("authorization", "Bearer " + key.key());
    }
    return builder.build(GRPCInferenceServiceBlockingStub.class);
  }

  private static float infer(GRPCInferenceServiceBlockingStub stub, String model) {
    ModelInferRequest request =
        ModelInferRequest.newBuilder()
            .setModelName(model)
            .addInputs(
                ModelInferRequest.InferInputTensor.newBuilder()
                    .setName("x")
                    .setDatatype("FP32")
                    .addShape(1)
                    .addShape(Served.FEATURES)
                    .setContents(
                        InferTensorContents.newBuilder()
                            .addFp32Contents(1)
                            .addFp32Contents(2)
                            .addFp32Contents(3)
                            .addFp32Contents(4)))
            .build();
    var response = stub.modelInfer(request);
    return response.getRawOutputContentsCount() > 0
        ? response
            .getRawOutputContents(0)
            .asReadOnlyByteBuffer()
            .order(java.nio.ByteOrder.LITTLE_ENDIAN)
            .getFloat()
        : response.getOutputs(0).getContents().getFp32Contents(0);
  }

  private static String metadata(GRPCInferenceServiceBlockingStub stub) {
    return stub.modelMetadata(ModelMetadataRequest.newBuilder().setName("digits").build())
        .getName();
  }

  private static Status.Code code(Runnable call) {
    try {
      call.run();
      return Status.Code.OK;
    } catch (StatusRuntimeException e) {
      return e.getStatus().getCode();
    }
  }
}
