package dev.crema.cli.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.linecorp.armeria.common.HttpHeaders;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.server.Server;
import dev.crema.CremaException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Loads of a server whose certificate only a file vouches for. */
@Timeout(60)
class LoadOverTlsTest {
  private static final String PASSWORD = "of the test";
  private static final byte[] BODY = "{}".getBytes(StandardCharsets.UTF_8);

  @TempDir Path folder;

  private Path authorities;
  private Server server;

  @BeforeEach
  void start() throws Exception {
    Path store = folder.resolve("server.p12");
    authorities = folder.resolve("ca.pem");
    keytool(
        "-genkeypair -alias s -keyalg EC -dname CN=localhost -ext san=ip:127.0.0.1 -storetype"
            + " PKCS12 -keystore",
        store);
    keytool("-exportcert -alias s -rfc -file " + authorities + " -keystore", store);
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(keys, PASSWORD.toCharArray());
    server =
        Server.builder()
            .https(new InetSocketAddress("127.0.0.1", 0))
            .tls(factory)
            .service("/v1/models/m:predict", (ctx, req) -> HttpResponse.of(200))
            .service(
                "/v2/models/m",
                (ctx, req) ->
                    HttpResponse.of(
                        "{\"inputs\": [{\"name\": \"x\", \"datatype\": \"FP32\", \"shape\": [-1,"
                            + " 2]}]}"))
            .service(
                "/x.Y/Z",
                (ctx, req) ->
                    HttpResponse.of(
                        ResponseHeaders.of(HttpStatus.OK, "content-type", "application/grpc"),
                        HttpHeaders.of("grpc-status", "0")))
            .build();
    server.start().join();
  }

  private static void keytool(String options, Path store) throws Exception {
    Path tool = Path.of(System.getProperty("java.home"), "bin", "keytool");
    List<String> command = new ArrayList<>(List.of(tool.toString()));
    command.addAll(List.of(options.split(" ")));
    command.addAll(List.of(store.toString(), "-storepass", PASSWORD));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
  }

  @AfterEach
  void stop() {
    server.stop().join();
  }

  private Target target(Target.Protocol protocol) {
    return Target.of("https://127.0.0.1:" + server.activeLocalPort(), protocol, "m");
  }

  private static final Load.Plan PLAN = new Load.Plan(400, false, 0, 0.25, 1);

  @Test
  void restIsLoaded() {
    Target target = target(Target.Protocol.TENSORFLOW);
    Trust trust = Trust.of(authorities);
    assertThat(Inputs.generate(target, trust.client(), Map.of(), 1, 1)).isNotEmpty();
    try (Lanes lanes = new HttpLanes(target, BODY, Map.of(), 2, trust.context(target))) {
      LoadResult result = Load.run(lanes, PLAN);
      assertThat(result.errors()).isEmpty();
      assertThat(result.good()).isEqualTo(100);
    }
  }

  @Test
  void grpcIsLoaded() {
    Target target = target(Target.Protocol.TENSORFLOW_GRPC);
    try (Lanes lanes =
        new GrpcLanes(target, "/x.Y/Z", BODY, Map.of(), 2, Trust.of(authorities).context(target))) {
      LoadResult result = Load.run(lanes, PLAN);
      assertThat(result.errors()).isEmpty();
      assertThat(result.good()).isEqualTo(100);
    }
  }

  @Test
  void aServerThatNobodyVouchesForIsNot() {
    Target target = target(Target.Protocol.TENSORFLOW);
    Trust trust = Trust.of(null);
    assertThatThrownBy(() -> Inputs.generate(target, trust.client(), Map.of(), 1, 1))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("https://127.0.0.1");
    assertThat(trust.context(Target.of("http://127.0.0.1:1", null, "m"))).isNull();
  }

  @Test
  void filesWithoutCertificatesAreNamed() throws Exception {
    Path empty = Files.writeString(folder.resolve("empty.pem"), "");
    Path missing = folder.resolve("missing.pem");
    for (Path file : List.of(empty, missing)) {
      assertThatThrownBy(() -> Trust.of(file))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining(file.toString());
    }
  }
}
