package dev.crema.serving.security;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.linecorp.armeria.common.HttpResponse;
import dev.crema.CremaException;
import dev.crema.serving.Endpoint;
import dev.crema.serving.ModelServer;
import dev.crema.serving.NoModels;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Set;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class TlsTest {
  private static final Endpoint WHO =
      builder ->
          builder.service(
              "/v1/who", (ctx, req) -> HttpResponse.of(ctx.attr(Principal.OF_REQUEST).name()));

  @TempDir private Path folder;
  private Certificates.Identity authority;
  private Tls tls;

  @BeforeEach
  void makeCertificates() throws Exception {
    authority = Certificates.authority("CN=test authority");
    Certificates.Identity server = Certificates.signed(authority, "CN=server");
    authority.writeCertificate(folder.resolve("ca.pem"));
    tls =
        Tls.of(
            server.writeCertificate(folder.resolve("server.pem")),
            server.writeKey(folder.resolve("server.key")));
  }

  @Test
  void answersOverHttpsAndNotInPlainText() throws Exception {
    try (ModelServer server = server(tls, AccessControl.OPEN)) {
      assertThat(server.uri().getScheme()).isEqualTo("https");
      var answer = get(client(null), server.uri().resolve("/healthz"));
      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(answer.version()).isEqualTo(HttpClient.Version.HTTP_2);
      URI plain = URI.create("http://127.0.0.1:" + server.port() + "/healthz");
      assertThatThrownBy(() -> get(HttpClient.newHttpClient(), plain))
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void aClientThatDoesNotTrustItIsToldByItsOwnLibrary() throws Exception {
    try (ModelServer server = server(tls, AccessControl.OPEN)) {
      assertThatThrownBy(() -> get(HttpClient.newHttpClient(), server.uri().resolve("/healthz")))
          .isInstanceOf(SSLHandshakeException.class);
    }
  }

  @Test
  void mutualTlsLetsOnlyClientsWithACertificateIn() throws Exception {
    AccessControl access =
        AccessControl.builder()
            .certificate("batch", "O=Example, CN=batch", Set.of(Scope.METADATA))
            .build();
    try (ModelServer server = server(tls.mutual(folder.resolve("ca.pem")), access)) {
      URI uri = server.uri().resolve("/v1/who");
      Certificates.Identity batch = Certificates.signed(authority, "O=Example,CN=batch");
      assertThat(get(client(batch), uri).body()).isEqualTo("batch");

      Certificates.Identity other = Certificates.signed(authority, "CN=other");
      assertThat(get(client(other), uri).statusCode()).isEqualTo(401);

      assertThatThrownBy(() -> ask(server, null)).isInstanceOf(IOException.class);
      Certificates.Identity stranger =
          Certificates.signed(Certificates.authority("CN=test authority"), "O=Example,CN=batch");
      assertThatThrownBy(() -> ask(server, stranger)).isInstanceOf(IOException.class);
    }
  }

  @Test
  void certificatesMayBeOptionalBesideKeys() throws Exception {
    ApiKey key = ApiKey.create();
    AccessControl access =
        AccessControl.builder()
            .certificate("batch", "CN=batch", Set.of(Scope.METADATA))
            .key("web", key.hash(), Set.of(Scope.METADATA))
            .build();
    Tls optional = new Tls(tls.certificate(), tls.key(), folder.resolve("ca.pem"), false);
    try (ModelServer server = server(optional, access)) {
      URI uri = server.uri().resolve("/v1/who");
      assertThat(get(client(Certificates.signed(authority, "CN=batch")), uri).body())
          .isEqualTo("batch");
      assertThat(get(client(null), uri).statusCode()).isEqualTo(401);
      var answer =
          client(null)
              .send(
                  HttpRequest.newBuilder(uri).header("X-API-Key", key.key()).build(),
                  java.net.http.HttpResponse.BodyHandlers.ofString());
      assertThat(answer.body()).isEqualTo("web");
    }
  }

  @Test
  void takesANewCertificateWithoutARestart() throws Exception {
    try (ModelServer server = server(tls, AccessControl.OPEN)) {
      assertThat(subject(server)).isEqualTo("CN=server");

      // One that can't be read changes nothing.
      Files.writeString(tls.certificate(), "no certificate");
      later(tls.certificate(), 10);
      waitForTheNextLook();
      assertThat(subject(server)).isEqualTo("CN=server");

      Certificates.Identity next = Certificates.signed(authority, "CN=next");
      next.writeKey(tls.key());
      next.writeCertificate(tls.certificate());
      later(tls.certificate(), 20);
      waitForTheNextLook();
      assertThat(subject(server)).isEqualTo("CN=next");
    }
  }

  @Test
  void filesThatHoldNoKeysAreRefusedAtTheStart() throws Exception {
    Path missing = folder.resolve("missing.pem");
    assertThatThrownBy(() -> server(Tls.of(missing, tls.key()), AccessControl.OPEN))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("missing.pem");
    Path junk = Files.writeString(folder.resolve("junk.pem"), "junk");
    assertThatThrownBy(() -> server(Tls.of(junk, tls.key()), AccessControl.OPEN))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("junk.pem");
    assertThatThrownBy(() -> server(tls.mutual(junk), AccessControl.OPEN))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("junk.pem");
    assertThatThrownBy(() -> new Tls(tls.certificate(), tls.key(), null, true))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static ModelServer server(Tls tls, AccessControl access) {
    return ModelServer.builder(new NoModels())
        .port(0)
        .tls(tls)
        .guard(new Guard(access))
        .endpoint(WHO)
        .build()
        .start();
  }

  private static void waitForTheNextLook() throws InterruptedException {
    Thread.sleep(1100); // files are looked at once a second
  }

  private static void later(Path file, long seconds) throws IOException {
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(seconds)));
  }

  /** Of the certificate that the server shows to a new connection. */
  private String subject(ModelServer server) throws Exception {
    try (SSLSocket socket =
        (SSLSocket) context(null).getSocketFactory().createSocket("127.0.0.1", server.port())) {
      socket.startHandshake();
      X509Certificate shown = (X509Certificate) socket.getSession().getPeerCertificates()[0];
      return shown.getSubjectX500Principal().getName();
    }
  }

  /**
   * Sends a request and reads a byte. With TLS 1.3 a client has shaken hands before it is refused,
   * and Java 17's HttpClient waits for an answer then.
   */
  private void ask(ModelServer server, Certificates.Identity identity) throws Exception {
    try (SSLSocket socket =
        (SSLSocket) context(identity).getSocketFactory().createSocket("127.0.0.1", server.port())) {
      socket.getOutputStream().write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(US_ASCII));
      socket.getOutputStream().flush();
      if (socket.getInputStream().read() < 0) {
        throw new IOException("closed");
      }
    }
  }

  private HttpClient client(Certificates.Identity identity) throws Exception {
    return HttpClient.newBuilder().sslContext(context(identity)).build();
  }

  private SSLContext context(Certificates.Identity identity)
      throws GeneralSecurityException, IOException {
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    trusted.setCertificateEntry("ca", authority.certificate());
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(trusted);
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    KeyStore own = KeyStore.getInstance("PKCS12");
    own.load(null, null);
    if (identity != null) {
      own.setKeyEntry(
          "me", identity.key(), new char[0], new X509Certificate[] {identity.certificate()});
    }
    keys.init(own, new char[0]);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    return context;
  }

  private static java.net.http.HttpResponse<String> get(HttpClient client, URI uri)
      throws IOException, InterruptedException {
    return client.send(
        HttpRequest.newBuilder(uri).build(), java.net.http.HttpResponse.BodyHandlers.ofString());
  }
}
