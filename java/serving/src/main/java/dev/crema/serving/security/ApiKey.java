package dev.crema.serving.security;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;

/**
 * A random key for a client, sent as {@code Authorization: Bearer KEY} or {@code X-API-Key: KEY}.
 * Servers keep only its SHA-256: a key has 256 random bits, so that nobody finds it from the hash
 * by trying, and a slow hash, as passwords need, would only make each request slow.
 *
 * @param key what the client gets, once
 * @param hash what the server keeps: {@code sha256:} and 64 hexadecimal digits
 */
public record ApiKey(String key, String hash) {
  private static final String PREFIX = "crema_";
  private static final String ALGORITHM = "sha256:";

  /** A new one from the system's secure random numbers. */
  public static ApiKey create() {
    byte[] random = new byte[32];
    new SecureRandom().nextBytes(random);
    String key = PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(random);
    return new ApiKey(key, ALGORITHM + HexFormat.of().formatHex(sha256(key)));
  }

  static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every JVM has SHA-256", e);
    }
  }

  /**
   * The bytes of a hash as {@link #hash} writes it.
   *
   * @throws IllegalArgumentException if it is none; the text is not in the message, as it may be a
   *     key
   */
  static byte[] hashBytes(String hash) {
    if (hash.matches(ALGORITHM + "[0-9a-f]{64}")) {
      return HexFormat.of().parseHex(hash, ALGORITHM.length(), hash.length());
    }
    throw new IllegalArgumentException(
        "A key's hash is 'sha256:' and 64 hexadecimal digits, as `crema serve-key` prints it"
            + (hash.startsWith(PREFIX)
                ? "; this is a key itself. Whoever has read it has it: make a new one"
                : ""));
  }
}
