package dev.crema.serving.security;

import com.linecorp.armeria.common.TlsKeyPair;
import com.linecorp.armeria.common.TlsProvider;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServerTlsConfig;
import dev.crema.CremaException;
import io.netty.handler.ssl.ClientAuth;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server's certificate, and which certificates of clients it wants. Files are PEM; new ones are
 * taken for new connections within a second of their change, so that renewing needs no restart. A
 * new certificate that can't be read is logged, and the old one stays.
 *
 * @param certificate the server's, followed by those that signed it
 * @param key its private key, PKCS #8, not encrypted
 * @param authority those who sign clients' certificates; null if clients show none
 * @param clientsMust whether a client without a certificate is refused; false if it may use a key
 */
public record Tls(Path certificate, Path key, Path authority, boolean clientsMust) {
  private static final Logger LOG = LoggerFactory.getLogger(Tls.class);
  private static final long LOOK_AGAIN_NANOS = TimeUnit.SECONDS.toNanos(1);

  public Tls {
    Objects.requireNonNull(certificate, "certificate");
    Objects.requireNonNull(key, "key");
    if (clientsMust && authority == null) {
      throw new IllegalArgumentException(
          "Clients can only be made to show certificates if it is known who signs them");
    }
  }

  /** TLS without certificates of clients. */
  public static Tls of(Path certificate, Path key) {
    return new Tls(certificate, key, null, false);
  }

  /** Only clients whose certificate was signed by that authority. */
  public Tls mutual(Path signedBy) {
    return new Tls(certificate, key, signedBy, true);
  }

  /**
   * @throws CremaException if the files can't be read
   */
  public void addTo(ServerBuilder server) {
    ClientAuth clients =
        authority == null
            ? ClientAuth.NONE
            : clientsMust ? ClientAuth.REQUIRE : ClientAuth.OPTIONAL;
    server.tlsProvider(new Watched(this), ServerTlsConfig.builder().clientAuth(clients).build());
  }

  private TlsKeyPair readKeyPair() {
    readable("certificate", certificate);
    readable("key", key);
    try {
      return TlsKeyPair.of(key.toFile(), certificate.toFile());
    } catch (IllegalArgumentException e) {
      throw new CremaException(
          "TLS: no certificate and key in PEM (PKCS #8, not encrypted) in "
              + certificate
              + " and "
              + key
              + ": "
              + e.getMessage(),
          e);
    }
  }

  private List<X509Certificate> readAuthority() {
    if (authority == null) {
      return List.of();
    }
    readable("authority", authority);
    try (InputStream in = Files.newInputStream(authority)) {
      List<X509Certificate> read =
          CertificateFactory.getInstance("X.509").generateCertificates(in).stream()
              .map(X509Certificate.class::cast)
              .toList();
      if (read.isEmpty()) {
        throw new CremaException("TLS: there is no certificate in " + authority);
      }
      return read;
    } catch (IOException | CertificateException e) {
      throw new CremaException(
          "TLS: no certificates in PEM in " + authority + ": " + e.getMessage(), e);
    }
  }

  private static void readable(String what, Path file) {
    if (!Files.isReadable(file)) {
      throw new CremaException("TLS: the file of the " + what + ", " + file + ", can't be read");
    }
  }

  /** What the files hold now, or held when they could last be read. */
  private static final class Watched implements TlsProvider {
    private final Tls tls;
    private List<FileTime> times;
    private TlsKeyPair keyPair;
    private List<X509Certificate> trusted;
    private long looked = System.nanoTime();

    Watched(Tls tls) {
      this.tls = tls;
      this.times = tls.times();
      this.keyPair = tls.readKeyPair();
      this.trusted = tls.readAuthority();
    }

    @Override
    public synchronized TlsKeyPair keyPair(String hostname) {
      look();
      return keyPair;
    }

    @Override
    public synchronized List<X509Certificate> trustedCertificates(String hostname) {
      look();
      return trusted;
    }

    private void look() {
      long now = System.nanoTime();
      if (now - looked < LOOK_AGAIN_NANOS) {
        return;
      }
      looked = now;
      List<FileTime> found = tls.times();
      if (found.equals(times)) {
        return;
      }
      times = found;
      try {
        TlsKeyPair nextPair = tls.readKeyPair();
        List<X509Certificate> nextTrusted = tls.readAuthority();
        keyPair = nextPair;
        trusted = nextTrusted;
        LOG.info("TLS: {} has changed and is used now", tls.certificate);
      } catch (CremaException e) {
        LOG.error("TLS: the certificate from before is still used: {}", e.getMessage());
      }
    }
  }

  private List<FileTime> times() {
    return authority == null
        ? List.of(time(certificate), time(key))
        : List.of(time(certificate), time(key), time(authority));
  }

  private static FileTime time(Path file) {
    try {
      return Files.getLastModifiedTime(file);
    } catch (IOException e) {
      return FileTime.fromMillis(0);
    }
  }
}
