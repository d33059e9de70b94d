package dev.crema.serving.security;

import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.RequestHeaders;
import dev.crema.serving.inference.ServingException;
import io.netty.util.AsciiString;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import javax.security.auth.x500.X500Principal;

/** Who is known, and what each may do. Immutable. */
public final class AccessControl {
  private static final AsciiString API_KEY = AsciiString.of("x-api-key");
  private static final String BEARER = "Bearer ";

  /** All may ask and read; nobody may load or unload. */
  public static final AccessControl OPEN =
      builder().anonymous(Set.of(Scope.predict("*"), Scope.METADATA, Scope.METRICS)).build();

  private record Key(byte[] hash, Principal principal) {}

  private record Certificate(X500Principal subject, Principal principal) {}

  private final List<Key> keys;
  private final List<Certificate> certificates;
  private final Principal anonymous;

  private AccessControl(Builder builder) {
    this.keys = List.copyOf(builder.keys);
    this.certificates = List.copyOf(builder.certificates);
    this.anonymous = new Principal("anonymous", builder.anonymous);
  }

  /** Nobody may do anything, for a start. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Who sends a request: by its key; without one, by the certificate of its connection; else
   * anonymous.
   *
   * @param certificate that the TLS connection has verified; null if there is none
   * @throws ServingException UNAUTHENTICATED if it has a key that nobody has
   */
  public Principal identify(RequestHeaders headers, X509Certificate certificate) {
    String key = key(headers);
    if (key != null) {
      return byKey(key);
    }
    if (certificate != null) {
      for (Certificate known : certificates) {
        if (known.subject.equals(certificate.getSubjectX500Principal())) {
          return known.principal;
        }
      }
    }
    return anonymous;
  }

  private static String key(RequestHeaders headers) {
    String authorization = headers.get(HttpHeaderNames.AUTHORIZATION);
    if (authorization == null) {
      return headers.get(API_KEY);
    }
    if (!authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
      throw unauthenticated("Authorization must be 'Bearer KEY'");
    }
    return authorization.substring(BEARER.length()).trim();
  }

  /** Compares with all of them, each in constant time. */
  private Principal byKey(String key) {
    byte[] hash = ApiKey.sha256(key);
    Principal found = null;
    for (Key known : keys) {
      if (MessageDigest.isEqual(known.hash, hash)) {
        found = known.principal;
      }
    }
    if (found == null) {
      throw unauthenticated("The key is not known here");
    }
    return found;
  }

  private static ServingException unauthenticated(String why) {
    return new ServingException(ServingException.Code.UNAUTHENTICATED, why);
  }

  /**
   * @throws ServingException UNAUTHENTICATED if it is nobody who may not, PERMISSION_DENIED if it
   *     is somebody
   */
  public void require(Principal who, Scope wanted) {
    if (!who.may(wanted)) {
      throw refused(who, wanted.toString(), wanted.action() == Scope.Action.ADMIN);
    }
  }

  /** As {@link #require}, where it is not known yet which model is asked. */
  void requireSome(Principal who, Scope.Action action) {
    if (!who.maySome(action)) {
      throw refused(who, new Scope(action, "*").toString(), action == Scope.Action.ADMIN);
    }
  }

  /** As {@link #require}, for what anyone may who is known. */
  void requireSomebody(Principal who) {
    if (who.scopes().isEmpty()) {
      throw refused(who, "any scope", false);
    }
  }

  private ServingException refused(Principal who, String wanted, boolean admin) {
    if (who != anonymous) {
      return new ServingException(
          ServingException.Code.PERMISSION_DENIED,
          "'" + who.name() + "' may not do this: it has no scope " + wanted);
    }
    if (keys.isEmpty() && certificates.isEmpty()) {
      return new ServingException(
          ServingException.Code.PERMISSION_DENIED,
          admin
              ? "Loading and unloading is off: this server has no key with the scope admin"
              : "Nobody may do this here: no key or certificate has the scope " + wanted);
    }
    return unauthenticated("A key is needed, as Authorization: Bearer KEY or X-API-Key: KEY");
  }

  /** Who is known. */
  public static final class Builder {
    private final List<Key> keys = new ArrayList<>();
    private final List<Certificate> certificates = new ArrayList<>();
    private Set<Scope> anonymous = Set.of();

    private Builder() {}

    /**
     * Somebody with a key.
     *
     * @param hash of {@link ApiKey#hash}
     */
    public Builder key(String name, String hash, Set<Scope> scopes) {
      keys.add(new Key(ApiKey.hashBytes(hash), new Principal(name, scopes)));
      return this;
    }

    /**
     * Somebody with a certificate that the server's authority has signed.
     *
     * @param subject its distinguished name, as {@code CN=batch,O=Example}
     */
    public Builder certificate(String name, String subject, Set<Scope> scopes) {
      certificates.add(new Certificate(new X500Principal(subject), new Principal(name, scopes)));
      return this;
    }

    /** What anyone may who has neither. */
    public Builder anonymous(Set<Scope> scopes) {
      anonymous = Set.copyOf(scopes);
      return this;
    }

    public AccessControl build() {
      return new AccessControl(this);
    }
  }
}
