package dev.crema.io;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * SHA-256 sums (FIPS 180-4) of the files of a model, as they stand in {@code checksums.json}:
 *
 * <pre>{"algorithm": "SHA-256", "files": {"model.json": "64 hexadecimal digits", ...}}</pre>
 *
 * @param sums file name → sum in lower-case hexadecimal; sorted by name, immutable
 */
public record Checksums(Map<String, String> sums) {
  private static final Pattern SUM = Pattern.compile("[0-9a-f]{64}");
  private static final String ALGORITHM = "SHA-256";

  /** Copies the map. */
  public Checksums(Map<String, String> sums) {
    this.sums = Collections.unmodifiableMap(new TreeMap<>(sums));
  }

  /**
   * The sum of a file in lower-case hexadecimal; the file is streamed.
   *
   * @throws CremaException if it cannot be read
   */
  public static String sha256(Path file) {
    try (FileRange range = FileRange.open(file)) {
      return sha256(range.stream());
    } catch (IOException e) {
      throw FileErrors.cannotRead(file, e);
    }
  }

  /** The sum of all that is left in a stream; the caller closes it. */
  static String sha256(InputStream in) throws IOException {
    MessageDigest digest = digest();
    byte[] chunk = new byte[1 << 16];
    for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
      digest.update(chunk, 0, n);
    }
    return hex(digest);
  }

  static MessageDigest digest() {
    try {
      return MessageDigest.getInstance(ALGORITHM);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }

  static String hex(MessageDigest digest) {
    return HexFormat.of().formatHex(digest.digest());
  }

  /**
   * Sums from the JSON form.
   *
   * @param where its origin, for errors
   * @throws CremaException if it has another form
   */
  static Checksums parse(JsonNode json, String where) {
    JsonNode files = json.path("files");
    if (!json.path("algorithm").asText().equals(ALGORITHM) || !files.isObject()) {
      throw new CremaException(
          where + ": expected {\"algorithm\": \"SHA-256\", \"files\": {name: sum}}");
    }
    Map<String, String> sums = new TreeMap<>();
    for (Map.Entry<String, JsonNode> file : files.properties()) {
      JsonNode sum = file.getValue();
      if (!sum.isTextual() || !SUM.matcher(sum.textValue()).matches()) {
        throw new CremaException(
            where + ": the sum of '" + file.getKey() + "' is not 64 hexadecimal digits");
      }
      sums.put(file.getKey(), sum.textValue());
    }
    return new Checksums(sums);
  }

  /** The JSON form. */
  JsonNode toJson() {
    ObjectNode json = Json.mapper().createObjectNode().put("algorithm", ALGORITHM);
    ObjectNode files = json.putObject("files");
    sums.forEach(files::put);
    return json;
  }

  /**
   * Compares one file's sum with what stands here.
   *
   * @param where the file as the user knows it
   * @throws CremaException if they differ
   */
  void verify(String name, String got, String where) {
    String expected = sums.get(name);
    if (!got.equals(expected)) {
      throw new CremaException(
          where
              + " is damaged or was changed: expected SHA-256 "
              + expected
              + ", got "
              + got
              + ". Copy the model again from its source, or save it anew.");
    }
  }
}
