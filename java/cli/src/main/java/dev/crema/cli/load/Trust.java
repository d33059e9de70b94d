package dev.crema.cli.load;

import dev.crema.CremaException;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.Collection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;

/** Whose word is taken for a server's name under TLS. */
public final class Trust {
  private final TrustManagerFactory managers; // null: those of the Java runtime

  private Trust(TrustManagerFactory managers) {
    this.managers = managers;
  }

  /**
   * That of some authorities.
   *
   * @param authorities file of their certificates, PEM; null for those that the Java runtime knows
   * @throws CremaException if the file can't be read or has none
   */
  public static Trust of(Path authorities) {
    if (authorities == null) {
      return new Trust(null);
    }
    try {
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      for (Certificate certificate : certificates(authorities)) {
        store.setCertificateEntry(Integer.toString(store.size()), certificate);
      }
      TrustManagerFactory managers =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      managers.init(store);
      return new Trust(managers);
    } catch (IOException | GeneralSecurityException e) {
      throw new CremaException(
          "Can't read certificates from " + authorities + ": " + e.getMessage(), e);
    }
  }

  private static Collection<? extends Certificate> certificates(Path file)
      throws IOException, CertificateException {
    try (InputStream in = Files.newInputStream(file)) {
      Collection<? extends Certificate> all =
          CertificateFactory.getInstance("X.509").generateCertificates(in);
      if (all.isEmpty()) {
        throw new CertificateException("there are none in PEM form");
      }
      return all;
    }
  }

  /** For lanes to the target; null where it is not under TLS. */
  public SslContext context(Target target) {
    if (!target.uri().getScheme().equals("https")) {
      return null;
    }
    SslContextBuilder builder = SslContextBuilder.forClient().trustManager(managers);
    if (target.protocol().isGrpc()) {
      builder.applicationProtocolConfig(
          new ApplicationProtocolConfig(
              ApplicationProtocolConfig.Protocol.ALPN,
              ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
              ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
              ApplicationProtocolNames.HTTP_2));
    }
    try {
      return builder.build();
    } catch (SSLException e) {
      throw new CremaException("TLS: " + e.getMessage(), e);
    }
  }

  /** For a question or two. */
  public HttpClient client() {
    if (managers == null) {
      return HttpClient.newHttpClient();
    }
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, managers.getTrustManagers(), null);
      return HttpClient.newBuilder().sslContext(context).build();
    } catch (GeneralSecurityException e) {
      throw new CremaException("TLS: " + e.getMessage(), e);
    }
  }
}
