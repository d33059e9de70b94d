package dev.crema.device.cuda;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compiled kernels on disk: a file each, of a checksum and the code, named by everything that the
 * code depends on. Written beside and moved into place, so that other processes see whole files or
 * none; what is damaged counts as absent. Nothing here can fail a program.
 */
final class KernelCache {
  private static final Logger LOG = LoggerFactory.getLogger(KernelCache.class);
  private static final String DIGEST = "SHA-256";
  private static final int DIGEST_BYTES = 32;

  private final Path folder; // null: nothing is kept

  KernelCache(Path folder) {
    this.folder = folder;
  }

  /** Where the system property {@code crema.cache} or CREMA_CACHE says, else in the home folder. */
  static KernelCache standard() {
    String place = System.getProperty("crema.cache", System.getenv("CREMA_CACHE"));
    String home = System.getProperty("user.home");
    if (place != null && !place.isEmpty()) {
      return new KernelCache(Path.of(place, "cuda"));
    }
    return new KernelCache(
        home == null || home.isEmpty() || home.equals("?")
            ? null
            : Path.of(home, ".cache", "crema", "cuda"));
  }

  /** What stands for the source, its headers, the options and the compiler's version. */
  static String key(KernelSource source, List<String> options, String version) {
    MessageDigest digest = digest();
    add(digest, source.source());
    source
        .headers()
        .forEach(
            (name, text) -> {
              add(digest, name);
              add(digest, text);
            });
    options.forEach(option -> add(digest, option));
    add(digest, version);
    return HexFormat.of().formatHex(digest.digest());
  }

  private static void add(MessageDigest digest, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    digest.update((bytes.length + ":").getBytes(StandardCharsets.UTF_8));
    digest.update(bytes);
  }

  /** The code kept under a key; null if there is none, or it is damaged. */
  byte[] get(String family, String key) {
    if (folder == null) {
      return null;
    }
    Path file = file(family, key);
    try {
      if (!Files.isRegularFile(file)) {
        return null;
      }
      byte[] all = Files.readAllBytes(file);
      if (all.length > DIGEST_BYTES) {
        byte[] code = Arrays.copyOfRange(all, DIGEST_BYTES, all.length);
        if (Arrays.equals(digest().digest(code), Arrays.copyOf(all, DIGEST_BYTES))) {
          return code;
        }
      }
      LOG.warn("{} is damaged; its kernels are compiled again", file);
    } catch (IOException e) {
      LOG.debug("Cannot read {}", file, e);
    }
    return null;
  }

  void put(String family, String key, byte[] code) {
    if (folder == null) {
      return;
    }
    Path file = file(family, key);
    Path beside = null;
    try {
      Files.createDirectories(folder);
      beside = Files.createTempFile(folder, family, ".tmp");
      byte[] all = Arrays.copyOf(digest().digest(code), DIGEST_BYTES + code.length);
      System.arraycopy(code, 0, all, DIGEST_BYTES, code.length);
      Files.write(beside, all);
      Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      beside = null;
    } catch (IOException e) {
      LOG.debug("Cannot keep compiled kernels in {}", folder, e);
    } finally {
      delete(beside);
    }
  }

  private static void delete(Path file) {
    if (file != null) {
      try {
        Files.deleteIfExists(file);
      } catch (IOException e) {
        LOG.debug("Cannot delete {}", file, e);
      }
    }
  }

  private Path file(String family, String key) {
    return folder.resolve(family + "-" + key + ".cubin");
  }

  private static MessageDigest digest() {
    try {
      return MessageDigest.getInstance(DIGEST);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every JVM has " + DIGEST, e);
    }
  }
}
