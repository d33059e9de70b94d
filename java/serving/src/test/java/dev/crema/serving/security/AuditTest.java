package dev.crema.serving.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.linecorp.armeria.client.WebClient;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.RequestHeaders;
import dev.crema.serving.ExampleModels;
import dev.crema.serving.ModelServer;
import dev.crema.serving.Protocols;
import dev.crema.serving.protocol.ProtocolOptions;
import dev.crema.serving.protocols.inference.GRPCInferenceServiceGrpc;
import dev.crema.serving.protocols.inference.RepositoryModelLoadRequest;
import dev.crema.serving.protocols.inference.RepositoryModelUnloadRequest;
import dev.crema.serving.protocols.tensorflow.serving.ModelConfig;
import dev.crema.serving.protocols.tensorflow.serving.ModelConfigList;
import dev.crema.serving.protocols.tensorflow.serving.ModelServerConfig;
import dev.crema.serving.protocols.tensorflow.serving.ModelServiceGrpc;
import dev.crema.serving.protocols.tensorflow.serving.ReloadConfigRequest;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Every action of an administrator and every refusal leaves one line that says who did what. */
class AuditTest {
  private final LinkedBlockingQueue<String> lines = new LinkedBlockingQueue<>();
  private final ApiKey operator = ApiKey.create();
  private final ApiKey web = ApiKey.create();
  private ModelServer server;
  private ManagedChannel channel;

  @BeforeEach
  void start() {
    AccessControl access =
        AccessControl.builder()
            .key("operator", operator.hash(), Set.of(Scope.ADMIN, Scope.METADATA))
            .key("web", web.hash(), Set.of(Scope.predict("pets")))
            .build();
    Guard guard = new Guard(access, new Audit(lines::add, lines::add));
    ExampleModels models = new ExampleModels();
    ProtocolOptions options = ProtocolOptions.DEFAULT.withAdmin(true).withAccess(guard::mayUse);
    server =
        ModelServer.builder(models)
            .port(0)
            .guard(guard)
            .endpoint(builder -> new Protocols(models, models, options).addTo(builder))
            .build()
            .start();
    channel = ManagedChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    server.close();
  }

  private JsonNode line() throws Exception {
    String line = lines.poll(30, TimeUnit.SECONDS);
    assertThat(line).isNotNull().doesNotContain("\n", operator.key(), web.key());
    return new ObjectMapper().readTree(line);
  }

  private int post(String path, ApiKey key) {
    RequestHeaders headers =
        RequestHeaders.builder(HttpMethod.POST, path).add("x-api-key", key.key()).build();
    return WebClient.of("http://127.0.0.1:" + server.port())
        .execute(headers)
        .aggregate()
        .join()
        .status()
        .code();
  }

  @Test
  void whoLoadsOrUnloadsByRestIsNamedWithTheModelAndWhatCameOfIt() throws Exception {
    assertThat(post("/v2/repository/models/pets/unload", operator)).isEqualTo(200);
    JsonNode line = line();
    assertThat(line.fieldNames())
        .toIterable()
        .containsExactly(
            "time", "event", "principal", "remote", "method", "path", "action", "status");
    assertThat(line.get("event").textValue()).isEqualTo("admin");
    assertThat(line.get("principal").textValue()).isEqualTo("operator");
    assertThat(line.get("remote").textValue()).isEqualTo("127.0.0.1");
    assertThat(line.get("action").textValue()).isEqualTo("unload pets");
    assertThat(line.get("status").intValue()).isEqualTo(200);

    assertThat(post("/v2/repository/models/nobody/load", operator)).isEqualTo(404);
    line = line();
    assertThat(line.get("action").textValue()).isEqualTo("load nobody");
    assertThat(line.get("status").intValue()).isEqualTo(404);
    assertThat(lines).isEmpty();
  }

  @Test
  void callsOfGrpcSayTheModelAndTheirOwnCode() throws Exception {
    Metadata key = new Metadata();
    key.put(Metadata.Key.of("x-api-key", Metadata.ASCII_STRING_MARSHALLER), operator.key());
    var attached = MetadataUtils.newAttachHeadersInterceptor(key);
    var client = GRPCInferenceServiceGrpc.newBlockingStub(channel).withInterceptors(attached);
    client.repositoryModelUnload(
        RepositoryModelUnloadRequest.newBuilder().setModelName("pets").build());
    JsonNode line = line();
    assertThat(line.get("action").textValue()).isEqualTo("unload pets");
    assertThat(line.get("grpc_status").textValue()).isEqualTo("0");

    assertThatThrownBy(
            () ->
                client.repositoryModelLoad(
                    RepositoryModelLoadRequest.newBuilder().setModelName("nobody").build()))
        .isInstanceOf(StatusRuntimeException.class);
    line = line();
    assertThat(line.get("action").textValue()).isEqualTo("load nobody");
    assertThat(line.get("grpc_status").textValue()).isEqualTo("5");

    ModelServiceGrpc.newBlockingStub(channel)
        .withInterceptors(attached)
        .handleReloadConfigRequest(
            ReloadConfigRequest.newBuilder()
                .setConfig(
                    ModelServerConfig.newBuilder()
                        .setModelConfigList(
                            ModelConfigList.newBuilder()
                                .addConfig(ModelConfig.newBuilder().setName("pets"))))
                .build());
    assertThat(line().get("action").textValue()).isEqualTo("serve only [pets]");
  }

  @Test
  void whoIsNotLetInLeavesALineWithoutItsKey() throws Exception {
    assertThat(post("/v2/repository/models/pets/load", web)).isEqualTo(403);
    JsonNode line = line();
    assertThat(line.get("event").textValue()).isEqualTo("refused");
    assertThat(line.get("principal").textValue()).isEqualTo("web");
    assertThat(line.get("code").textValue()).isEqualTo("PERMISSION_DENIED");
    assertThat(post("/v2/repository/models/pets/load", ApiKey.create())).isEqualTo(401);
    line = line();
    assertThat(line.get("principal").textValue()).isEqualTo("unknown");
    assertThat(line.get("code").textValue()).isEqualTo("UNAUTHENTICATED");
  }

  @Test
  void askingForPredictionsLeavesNone() {
    assertThat(post("/v1/models/pets:predict", web)).isEqualTo(400);
    assertThat(lines).isEmpty();
  }
}
