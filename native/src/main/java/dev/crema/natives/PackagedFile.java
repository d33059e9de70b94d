package dev.crema.natives;

import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.jar.JarEntry;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;

/**
 * A file on the class path and what is known of its contents. A sum that is not known is -1 or
 * null.
 *
 * @param name file name after extraction
 * @param size bytes
 * @param crc CRC-32 from the jar's directory
 * @param sha256 lower-case hexadecimal
 */
record PackagedFile(String name, URL url, long size, long crc, String sha256) {
  private static final int CHUNK = 1 << 18;

  /** The file at a URL, with the size and CRC that its jar's directory gives. */
  static PackagedFile of(String name, URL url, String sha256) throws IOException {
    URLConnection connection = url.openConnection();
    long size = -1;
    long crc = -1;
    if (connection instanceof JarURLConnection) {
      JarEntry entry = ((JarURLConnection) connection).getJarEntry();
      size = entry.getSize();
      crc = entry.getCrc();
    }
    return new PackagedFile(name, url, size, crc, sha256);
  }

  /**
   * The line that an extracted copy's neighbour holds: its size and CRC-32C, cheap to check at
   * every start.
   */
  record Seal(long size, long crc32c) {
    @Override
    public String toString() {
      return size + " " + Long.toHexString(crc32c) + "\n";
    }
  }

  /** Writes a copy, forced to disk, and checks it against every sum known. */
  Seal copyTo(Path file) throws IOException {
    MessageDigest digest = sha256 == null ? null : sha256Digest();
    CRC32 zip = new CRC32();
    CRC32C seal = new CRC32C();
    long written = 0;
    try (InputStream in = url.openStream();
        FileChannel out =
            FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      byte[] chunk = new byte[CHUNK];
      for (int n; (n = in.read(chunk)) >= 0; written += n) {
        zip.update(chunk, 0, n);
        seal.update(chunk, 0, n);
        if (digest != null) {
          digest.update(chunk, 0, n);
        }
        ByteBuffer bytes = ByteBuffer.wrap(chunk, 0, n);
        while (bytes.hasRemaining()) {
          out.write(bytes);
        }
      }
      out.force(true);
    }
    if (size >= 0 && written != size) {
      throw new IOException(
          url + " gave " + written + " of " + size + " bytes: the jar is damaged");
    }
    if (crc >= 0 && zip.getValue() != crc) {
      throw new IOException(url + " does not match its CRC-32: the jar is damaged");
    }
    if (digest != null) {
      String found = HexFormat.of().formatHex(digest.digest());
      if (!found.equals(sha256)) {
        throw new IOException(
            url + " has SHA-256 " + found + " instead of " + sha256 + ": the jar is damaged");
      }
    }
    if (Files.size(file) != written) {
      throw new IOException(file + " has " + Files.size(file) + " of " + written + " bytes");
    }
    return new Seal(written, seal.getValue());
  }

  /** Whether the folder has this file, whole, as its seal says. */
  boolean isSealedIn(Path folder) throws IOException {
    Path seal = folder.resolve(name + ".seal");
    Path file = folder.resolve(name);
    if (!Files.isRegularFile(seal) || !Files.isRegularFile(file)) {
      return false;
    }
    return Files.readString(seal, StandardCharsets.ISO_8859_1).equals(sealOf(file).toString());
  }

  private static Seal sealOf(Path file) throws IOException {
    CRC32C crc = new CRC32C();
    long size = 0;
    try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK);
      while (in.read(chunk) >= 0) {
        size += chunk.flip().remaining();
        crc.update(chunk);
        chunk.clear();
      }
    }
    return new Seal(size, crc.getValue());
  }

  private static MessageDigest sha256Digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("Every JDK has SHA-256", e);
    }
  }
}
