package dev.crema.serving.config;

import dev.crema.serving.security.AccessControl;
import dev.crema.serving.security.Scope;
import dev.crema.serving.security.Tls;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Who may do what, and over which connections.
 *
 * @param admin whether anyone may load and unload models at all
 */
public record SecurityConfig(AccessControl access, boolean admin, Optional<Tls> tls) {
  private static final String SCOPES = "predict:NAME, predict:*, metadata, metrics or admin";

  static SecurityConfig read(Section section, Path folder) {
    AccessControl.Builder access = AccessControl.builder();
    List<Section> keys = section.sections("keys");
    List<Section> certificates = section.sections("certificates");
    boolean admin = false;
    for (Section key : keys) {
      String name = required(key, "name");
      String hash = required(key, "hash");
      Set<Scope> scopes = scopes(key, "scopes", Set.of());
      key.done();
      admin |= scopes.contains(Scope.ADMIN);
      try {
        access.key(name, hash, scopes);
      } catch (IllegalArgumentException e) {
        throw key.error("hash", "is wrong: " + e.getMessage());
      }
    }
    for (Section certificate : certificates) {
      String name = required(certificate, "name");
      String subject = required(certificate, "subject");
      Set<Scope> scopes = scopes(certificate, "scopes", Set.of());
      certificate.done();
      admin |= scopes.contains(Scope.ADMIN);
      try {
        access.certificate(name, subject, scopes);
      } catch (IllegalArgumentException e) {
        throw certificate.error("subject", "must be a distinguished name, as CN=batch,O=Example");
      }
    }
    Set<Scope> open = Set.of(Scope.predict("*"), Scope.METADATA, Scope.METRICS);
    Set<Scope> anonymous =
        scopes(section, "anonymous", keys.isEmpty() && certificates.isEmpty() ? open : Set.of());
    access.anonymous(anonymous);
    admin |= anonymous.contains(Scope.ADMIN);
    Optional<Tls> tls =
        section.has("tls") ? Optional.of(tls(section.section("tls"), folder)) : Optional.empty();
    if (!certificates.isEmpty() && tls.map(t -> t.authority() == null).orElse(true)) {
      throw section.error(
          "certificates", "can only be known with tls.authority, who signs those of clients");
    }
    section.done();
    return new SecurityConfig(access.build(), admin, tls);
  }

  private static String required(Section section, String member) {
    String text = section.text(member, null);
    if (text == null) {
      throw section.error("", "needs a " + member);
    }
    return text;
  }

  private static Set<Scope> scopes(Section section, String member, Set<Scope> byDefault) {
    return new HashSet<>(section.list(member, List.copyOf(byDefault), SCOPES, Scope::parse));
  }

  private static Tls tls(Section section, Path folder) {
    Path certificate = folder.resolve(required(section, "certificate"));
    Path key = folder.resolve(required(section, "key"));
    String authority = section.text("authority", null);
    boolean must =
        section.of(
            "clients",
            authority != null,
            "required or optional",
            word ->
                switch (word) {
                  case "required" -> true;
                  case "optional" -> false;
                  default -> null;
                });
    if (must && authority == null) {
      throw section.error("clients", "can only be required with an authority who signs them");
    }
    section.done();
    return new Tls(certificate, key, authority == null ? null : folder.resolve(authority), must);
  }
}
