package dev.crema.serving.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.serving.execution.BatchSettings;
import dev.crema.serving.repository.ModelSettings;
import dev.crema.serving.repository.TrafficSplit;
import dev.crema.serving.repository.VersionPolicy;
import dev.crema.serving.security.Limits;
import dev.crema.serving.tracing.SpanSettings;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServerConfigTest {
  private static final Path FOLDER = Path.of("/srv/crema");

  @TempDir private Path folder;

  private static String example() throws IOException {
    try (InputStream in = ServerConfig.class.getResourceAsStream("server.yaml")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void theExampleSaysWhatTheDefaultsAre() throws Exception {
    ServerConfig example = parse(example());
    ServerConfig none = ServerConfig.byDefault(FOLDER, Overrides.NONE);
    assertThat(example.server()).isEqualTo(none.server());
    assertThat(example.models()).isEqualTo(none.models());
    assertThat(example.limits()).isEqualTo(none.limits()).isEqualTo(Limits.DEFAULT);
    assertThat(example.monitoring()).isEqualTo(none.monitoring());
    assertThat(example.tracing()).isEqualTo(none.tracing()).isEqualTo(SpanSettings.DEFAULT);
    assertThat(example.security().admin()).isFalse();
    assertThat(example.security().tls()).isEmpty();
    assertThat(example.models().byDefault()).isEqualTo(ModelSettings.DEFAULT);
    assertThat(example.models().root()).isEqualTo(FOLDER.resolve("models"));
    assertThat(none.server().host()).isEqualTo("127.0.0.1");
  }

  @Test
  void theExampleIsRightAlsoWhereItIsCommentedOut() throws Exception {
    String hash = "sha256:" + "ab".repeat(32);
    String all =
        example()
            .replace("keys: []  ", "keys:     ")
            .replace("certificates: []  ", "certificates:     ")
            .replaceAll("(?m)^( *)# (- |  )?(?=[a-z_]+: |tls:|digits:)", "$1$2")
            .replace("sha256:...", hash);
    ServerConfig config = parse(all);
    ModelSettings digits = config.models().named().get("digits");
    assertThat(digits.policy()).isEqualTo(VersionPolicy.latest(2));
    assertThat(digits.labels()).isEqualTo(Map.of("stable", 3L, "canary", 4L));
    assertThat(digits.traffic()).isEqualTo(TrafficSplit.canary(5));
    assertThat(digits.batching()).isEqualTo(BatchSettings.DEFAULT.withMaximumBatch(128));
    assertThat(config.security().tls().orElseThrow().certificate())
        .isEqualTo(FOLDER.resolve("server.pem"));
    assertThat(config.security().tls().orElseThrow().clientsMust()).isTrue();
  }

  @Test
  void readsAFileAndWhatReplacesIt() throws Exception {
    Path file =
        Files.writeString(
            folder.resolve("server.yaml"),
            """
            server: {port: 9000, notice: 5s}
            models: {root: ../m}
            limits:
              in_flight: 10
              request_bytes: 1MiB
            """);
    Overrides overrides =
        new Overrides(
            Map.of("CREMA__LIMITS__IN_FLIGHT", "20", "CREMA__SERVER__PORT", "9001", "OTHER", "x"),
            Map.of("server.port", "9002", "models.defaults.policy", "{specific: [1, 3]}"));
    ServerConfig config = ServerConfig.read(file, overrides);
    assertThat(config.server().port()).isEqualTo(9002);
    assertThat(config.server().notice()).isEqualTo(Duration.ofSeconds(5));
    assertThat(config.limits().inFlight()).isEqualTo(20);
    assertThat(config.limits().requestBytes()).isEqualTo(1 << 20);
    assertThat(config.models().root()).isEqualTo(folder.resolve("../m"));
    assertThat(config.models().byDefault().policy())
        .isEqualTo(new VersionPolicy.Specific(Set.of(1L, 3L)));
  }

  @Test
  void anAdministratorIsWhoeverHasTheScope() {
    assertThat(parse("security: {anonymous: [admin]}").security().admin()).isTrue();
    assertThat(parse("security: {anonymous: [metadata]}").security().admin()).isFalse();
    String key = "{name: op, hash: 'sha256:" + "0".repeat(64) + "', scopes: [admin]}";
    assertThat(parse("security: {keys: [" + key + "]}").security().admin()).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "server: {prt: 1}                       | :1: server.prt is not known; server has host, port, threads",
        "servers: {}                            | :1: servers is not known; a server has server, models",
        "server: {port: many}                   | :1: server.port must be a whole number from 0 to 65535, got 'many'",
        "server: {port: 65536}                  | got '65536'",
        "server: {port: [1]}                    | got a list",
        "server: {port: {a: 1}}                 | got members",
        "server: 8501                           | :1: server has members of its own",
        "server: {port: 1, port: 2}             | :1: server.port is there twice",
        "server: {notice: 5}                    | server.notice must be a time, as 500ms, 2s, 5m or 1h, got '5'",
        "server: {access_log: 2}                | server.access_log must be a number from 0.0 to 1.0, got '2'",
        "server: {access_log: NaN}              | got 'NaN'",
        "limits: {request_bytes: -1}            | limits.request_bytes must be a size",
        "limits: {request_bytes: 9999999999GiB} | limits.request_bytes must be a size",
        "limits: {idle_timeout: 0s}             | limits.idle_timeout must be longer than nothing",
        "monitoring: {page: yes}                | monitoring.page must be true or false, got 'yes'",
        "tracing: {endpoint: localhost}         | tracing.endpoint must be a collector's address, as http://localhost:4318, got 'localhost'",
        "tracing: {endpoint: 'localhost:4317'}  | got 'localhost:4317'",
        "tracing: {sample: 1.5}                 | tracing.sample must be a number from 0.0 to 1.0",
        "models: {defaults: {policy: newest}}   | models.defaults.policy must be all, latest",
        "models: {defaults: {policy: {latest: 0}}} | models.defaults.policy.latest must be a whole number from 1",
        "models: {defaults: {policy: {}}}       | models.defaults.policy must be all, latest",
        "models: {named: {x: {labels: {a: b}}}} | models.named.x.labels.a must be the number of a version, got 'b'",
        "models: {named: {x: {batching: {preferred_sizes: [65]}}}} | preferred_sizes must be a number of examples from 1 to maximum_batch 64, got '65'",
        "models: {named: {x: {colour: red}}}    | models.named.x.colour is not known",
        "security: {keys: [{name: a}]}          | :1: security.keys[0] needs a hash",
        "security: {keys: [{name: a, hash: x, scopes: []}]} | security.keys[0].hash is wrong",
        "security: {keys: {name: a}}            | security.keys must be a list",
        "security: {anonymous: [all]}           | security.anonymous must be predict:NAME",
        "security: {tls: {key: a}}              | security.tls needs a certificate",
        "security: {tls: {certificate: a, key: b, clients: required}} | security.tls.clients can only be required with an authority",
        "security: {certificates: [{name: a, subject: 'CN=a'}]} | security.certificates can only be known with tls.authority",
        "security: {certificates: [{name: a, subject: a}]} | subject must be a distinguished name",
        "'{'                                    | this is no YAML",
        "'[1, 2]'                               | the file has members of its own",
        "'!!javax.script.ScriptEngineManager []' | this is no YAML: Global tag is not allowed",
        "server: !!java.net.URL [x]             | this is no YAML: Global tag is not allowed",
      })
  void saysWhereSomethingIsWrongAndWhatWasExpected(String yaml, String expected) {
    assertThatThrownBy(() -> parse(yaml))
        .isInstanceOf(CremaException.class)
        .hasMessageStartingWith("server.yaml")
        .hasMessageContaining(expected);
  }

  @Test
  void saysTheLine() {
    assertThatThrownBy(() -> parse("# a comment\nserver:\n  host: x\n  port: y\n"))
        .hasMessageStartingWith("server.yaml:4: server.port");
    assertThatThrownBy(() -> parse("server:\n  port: 1\n   host: x\n"))
        .hasMessageStartingWith("server.yaml:3: this is no YAML");
  }

  @Test
  void saysWhichReplacementIsWrong() {
    assertThatThrownBy(
            () ->
                ServerConfig.byDefault(
                    FOLDER, new Overrides(Map.of("CREMA__SERVER__PORT", "x"), Map.of())))
        .hasMessageStartingWith("environment variable CREMA__SERVER__PORT: server.port must be");
    assertThatThrownBy(
            () ->
                ServerConfig.byDefault(FOLDER, new Overrides(Map.of(), Map.of("server.prt", "1"))))
        .hasMessageContaining("command line: server.prt is not known");
  }

  @Test
  void aFileThatIsNotThereIsAnError() {
    assertThatThrownBy(() -> ServerConfig.read(folder.resolve("no.yaml"), Overrides.NONE))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("no.yaml");
  }

  @Test
  void listsOfWordsAreReadInBothForms() {
    assertThat(parse("models:\n  trusted_keys:\n    - a.pem\n    - b.pem\n").models().trustedKeys())
        .isEqualTo(List.of(FOLDER.resolve("a.pem"), FOLDER.resolve("b.pem")));
  }

  private static ServerConfig parse(String yaml) {
    return ServerConfig.parse("server.yaml", yaml, FOLDER, Overrides.NONE);
  }
}
