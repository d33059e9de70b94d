package dev.crema.serving.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.linecorp.armeria.client.WebClient;
import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.RequestHeadersBuilder;
import dev.crema.serving.ModelServer;
import dev.crema.serving.NoModels;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class GuardTest {
  private final ApiKey web = ApiKey.create();
  private final ApiKey all = ApiKey.create();
  private final ApiKey operator = ApiKey.create();
  private ModelServer server;

  @BeforeEach
  void start() {
    server =
        serve(
            AccessControl.builder()
                .key("web", web.hash(), Set.of(Scope.predict("digits")))
                .key("all", all.hash(), Set.of(Scope.predict("*"), Scope.METADATA))
                .key("operator", operator.hash(), Set.of(Scope.ADMIN, Scope.METRICS))
                .build());
  }

  private static ModelServer serve(AccessControl access) {
    return ModelServer.builder(new NoModels())
        .port(0)
        .guard(new Guard(access))
        .endpoint(builder -> builder.serviceUnder("/", (ctx, req) -> HttpResponse.of("let in")))
        .build()
        .start();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @ParameterizedTest
  @CsvSource({
    "GET,  /healthz, 200, 200, 200, 200",
    "GET,  /readyz, 200, 200, 200, 200",
    "GET,  /v2/health/live, 200, 200, 200, 200",
    "GET,  /, 200, 200, 200, 200",
    "POST, /v1/models/digits:predict, 401, 200, 200, 403",
    "POST, /v1/models/digits/versions/3:predict, 401, 200, 200, 403",
    "POST, /v1/models/digits/labels/stable:classify, 401, 200, 200, 403",
    "POST, /v1/models/digits:feedback, 401, 200, 200, 403",
    "POST, /v1/models/other:predict, 401, 403, 200, 403",
    "POST, /v1/models/other/digits:predict, 401, 403, 200, 403",
    "POST, /v2/models/digits/infer, 401, 200, 200, 403",
    "POST, /v2/models/digits/versions/1/infer, 401, 200, 200, 403",
    "POST, /v2/models/di%67its/infer, 401, 200, 200, 403",
    "POST, /v2/models/other/infer, 401, 403, 200, 403",
    "POST, /v2/models/other%2Finfer, 401, 403, 403, 200",
    "POST, /v2/models/*/infer, 401, 403, 403, 200",
    "POST, /v2/repository/models/digits/infer, 401, 403, 403, 200",
    "GET,  /v1/models/digits, 401, 403, 200, 403",
    "GET,  /v1/models/digits/metadata, 401, 403, 200, 403",
    "GET,  /v2, 401, 403, 200, 403",
    "POST, /v2/repository/index, 401, 403, 200, 403",
    "POST, /v2/repository/models/digits/load, 401, 403, 403, 200",
    "POST, /v2/repository/models/digits/unload, 401, 403, 403, 200",
    "POST, /v2/repository/models/digits%2Funload, 401, 403, 403, 200",
    "POST, /v2//repository/models/digits/unload, 401, 403, 403, 200",
    "DELETE, /v1/models/digits, 401, 403, 403, 200",
    "POST, //v2/repository/models/digits/unload, 401, 403, 403, 200",
    "POST, /%762/repository/models/digits/unload, 401, 403, 403, 200",
    "POST, /inference.GRPCInferenceService/Something, 401, 403, 403, 200",
    "PUT,  /anything, 401, 200, 200, 200",
    "POST, /anything, 401, 200, 200, 200",
    "GET,  /anything, 401, 200, 200, 200",
    "GET,  /metrics, 401, 403, 403, 200",
    "GET,  /api/models, 401, 403, 403, 200",
    "POST, /tensorflow.serving.PredictionService/Predict, 401, 200, 200, 403",
    "POST, /inference.GRPCInferenceService/ModelInfer, 401, 200, 200, 403",
    "POST, /inference.GRPCInferenceService/ServerLive, 200, 200, 200, 200",
    "POST, /inference.GRPCInferenceService/RepositoryModelUnload, 401, 403, 403, 200",
    "POST, /tensorflow.serving.ModelService/HandleReloadConfigRequest, 401, 403, 403, 200",
    "POST, /tensorflow.serving.ModelService/GetModelStatus, 401, 403, 200, 403",
  })
  void letsThroughWhatTheScopesAllow(
      HttpMethod method, String path, int anonymous, int forWeb, int forAll, int forOperator) {
    assertThat(status(method, path, null)).as("anonymous").isEqualTo(anonymous);
    assertThat(status(method, path, web.key())).as("web").isEqualTo(forWeb);
    assertThat(status(method, path, all.key())).as("all").isEqualTo(forAll);
    assertThat(status(method, path, operator.key())).as("operator").isEqualTo(forOperator);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "crema_", "Bearer", "x", "null"})
  void keysThatNobodyHasAreRefused(String key) {
    AggregatedHttpResponse answer = send(HttpMethod.GET, "/v2", key, "authorization");
    assertThat(answer.status().code()).isEqualTo(401);
    assertThat(answer.headers().get(HttpHeaderNames.WWW_AUTHENTICATE)).startsWith("Bearer");
    assertThat(answer.contentUtf8()).startsWith("{\"error\":");
    assertThat(send(HttpMethod.GET, "/v2", key, "x-api-key").status().code()).isEqualTo(401);
  }

  @Test
  void aHashIsNoKey() {
    assertThat(status(HttpMethod.GET, "/v2", all.hash())).isEqualTo(401);
    assertThat(status(HttpMethod.GET, "/v2", all.hash().substring(7))).isEqualTo(401);
  }

  @Test
  void otherWaysToAuthenticateAreRefused() {
    RequestHeadersBuilder headers = RequestHeaders.builder(HttpMethod.GET, "/v2");
    headers.set(HttpHeaderNames.AUTHORIZATION, "Basic " + all.key());
    assertThat(client().execute(headers.build()).aggregate().join().status().code()).isEqualTo(401);
    headers.set(HttpHeaderNames.AUTHORIZATION, "bearer  " + all.key());
    assertThat(client().execute(headers.build()).aggregate().join().status().code()).isEqualTo(200);
  }

  @Test
  void xApiKeyWorksToo() {
    assertThat(send(HttpMethod.GET, "/v2", all.key(), "x-api-key").status().code()).isEqualTo(200);
  }

  @Test
  void grpcIsRefusedInItsOwnWay() {
    AggregatedHttpResponse nobody = grpc(null);
    assertThat(nobody.status().code()).isEqualTo(200);
    assertThat(nobody.headers().get("grpc-status")).isEqualTo("16");
    assertThat(nobody.headers().get("grpc-message")).contains("key");
    assertThat(grpc(operator.key()).headers().get("grpc-status")).isEqualTo("7");
    assertThat(grpc(web.key()).contentUtf8()).isEqualTo("let in");
  }

  @Test
  void withoutKeysAllMayAskAndNobodyMayUnload() {
    try (ModelServer open = serve(AccessControl.OPEN)) {
      WebClient client = WebClient.of(open.uri());
      assertThat(client.blocking().get("/v2").contentUtf8()).isEqualTo("let in");
      assertThat(client.blocking().get("/metrics").contentUtf8()).isEqualTo("let in");
      assertThat(client.blocking().post("/v2/models/digits/infer", "{}").contentUtf8())
          .isEqualTo("let in");
      AggregatedHttpResponse refused =
          client.blocking().post("/v2/repository/models/digits/unload", "");
      assertThat(refused.status().code()).isEqualTo(403);
      assertThat(refused.contentUtf8()).contains("Loading and unloading is off");
    }
  }

  @Test
  void keysAreLongAndTheirHashesAreNot() {
    assertThat(web.key()).hasSize("crema_".length() + 43).isNotEqualTo(all.key());
    assertThat(web.hash()).startsWith("sha256:").hasSize(7 + 64);
    assertThatThrownBy(() -> AccessControl.builder().key("x", web.key(), Set.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("this is a key itself")
        .hasMessageNotContaining(web.key());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "all", "predict:", "admin:digits", "metadata:x", "Predict:digits"})
  void scopesThatThereAreNot(String text) {
    assertThatThrownBy(() -> Scope.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"predict:digits", "predict:*", "metadata", "metrics", "admin"})
  void scopesAreWrittenAsTheyAreRead(String text) {
    assertThat(Scope.parse(text)).hasToString(text);
  }

  private int status(HttpMethod method, String path, String key) {
    return send(method, path, key, "authorization").status().code();
  }

  private AggregatedHttpResponse send(HttpMethod method, String path, String key, String header) {
    RequestHeadersBuilder headers = RequestHeaders.builder(method, path);
    if (key != null) {
      headers.set(header, header.equals("authorization") ? "Bearer " + key : key);
    }
    return client().execute(headers.build()).aggregate().join();
  }

  private AggregatedHttpResponse grpc(String key) {
    RequestHeadersBuilder headers =
        RequestHeaders.builder(HttpMethod.POST, "/tensorflow.serving.PredictionService/Predict");
    headers.set(HttpHeaderNames.CONTENT_TYPE, "application/grpc+proto");
    if (key != null) {
      headers.set(HttpHeaderNames.AUTHORIZATION, "Bearer " + key);
    }
    return client().execute(headers.build(), HttpData.empty()).aggregate().join();
  }

  private WebClient client() {
    return WebClient.of(server.uri());
  }
}
