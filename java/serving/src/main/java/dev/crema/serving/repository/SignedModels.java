package dev.crema.serving.repository;

import dev.crema.CremaException;
import dev.crema.io.Checksums;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.List;

/**
 * Ed25519 signatures (RFC 8032) of models. Signed is the list of the SHA-256 sums of all of a
 * model's files, sorted by name, a line each as {@code sha256sum} prints it: sum, two blanks, name.
 * The signature, 64 bytes or their Base64, stands in the version's folder as {@value #NAME}, or
 * beside {@code VERSION.zip} as {@code VERSION.zip.sig}. It says who made the files, not under
 * which name and version they were meant to be served: who can write to the folder of models can
 * put an older signed model in a newer one's place.
 */
public final class SignedModels {
  /** The signature's file in a version's folder. */
  public static final String NAME = "model.sig";

  static final String SUFFIX = ".sig";
  private static final String ALGORITHM = "Ed25519";
  private static final int SIGNATURE_BYTES = 64;
  private static final int MOST_BYTES = 4096;

  private SignedModels() {}

  /** What is signed. */
  public static byte[] message(Checksums checksums) {
    StringBuilder lines = new StringBuilder();
    checksums.sums().forEach((name, sum) -> lines.append(sum + "  " + name + "\n"));
    return lines.toString().getBytes(StandardCharsets.UTF_8);
  }

  /**
   * The signature of a model's files, to be written where the class comment says.
   *
   * @throws CremaException if the key is no Ed25519 key
   */
  public static byte[] sign(Checksums checksums, PrivateKey key) {
    try {
      Signature signature = Signature.getInstance(ALGORITHM);
      signature.initSign(key);
      signature.update(message(checksums));
      return signature.sign();
    } catch (GeneralSecurityException e) {
      throw new CremaException("Cannot sign with this key: " + e.getMessage(), e);
    }
  }

  /**
   * Reads a public key, PEM as {@code openssl pkey -pubout} writes it.
   *
   * @throws CremaException if the file can't be read or holds no Ed25519 key
   */
  public static PublicKey readKey(Path pem) {
    try {
      String text = read(pem);
      String base64 = text.replaceAll("-----(BEGIN|END) PUBLIC KEY-----", "").replaceAll("\\s", "");
      return KeyFactory.getInstance(ALGORITHM)
          .generatePublic(new X509EncodedKeySpec(Base64.getDecoder().decode(base64)));
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new CremaException(
          pem + ": expected an Ed25519 public key in PEM, " + e.getMessage(), e);
    } catch (NoSuchFileException e) {
      throw new CremaException(
          "There is no key " + pem + "; expected an Ed25519 public key in PEM", e);
    } catch (IOException e) {
      throw new CremaException("Cannot read the key " + pem + ": " + e, e);
    }
  }

  private static String read(Path file) throws IOException {
    if (Files.size(file) > MOST_BYTES) {
      throw new CremaException(file + " has more than " + MOST_BYTES + " bytes");
    }
    return Files.readString(file, StandardCharsets.US_ASCII);
  }

  /**
   * @param keys any of which may have signed
   * @throws CremaException if there is no signature or none of the keys made it
   */
  static void verify(Checksums checksums, Path file, List<PublicKey> keys) {
    byte[] given = signature(file);
    byte[] message = message(checksums);
    for (PublicKey key : keys) {
      try {
        Signature signature = Signature.getInstance(ALGORITHM);
        signature.initVerify(key);
        signature.update(message);
        if (signature.verify(given)) {
          return;
        }
      } catch (GeneralSecurityException e) {
        throw new CremaException("Cannot verify " + file + ": " + e.getMessage(), e);
      }
    }
    throw new CremaException(
        file
            + " is not a signature of these files by any of the trusted keys. Sign the model anew.");
  }

  private static byte[] signature(Path file) {
    try {
      if (Files.size(file) <= MOST_BYTES) {
        byte[] bytes = Files.readAllBytes(file);
        byte[] raw =
            bytes.length == SIGNATURE_BYTES
                ? bytes
                : Base64.getMimeDecoder().decode(bytes); // lines of any length
        if (raw.length == SIGNATURE_BYTES) {
          return raw;
        }
      }
    } catch (NoSuchFileException e) {
      throw new CremaException(
          "The model is not signed, but signatures are required: " + file + " is missing", e);
    } catch (IllegalArgumentException e) {
      throw new CremaException(file + " holds no Ed25519 signature: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new CremaException("Cannot read " + file + ": " + e.getMessage(), e);
    }
    throw new CremaException(
        file
            + " holds no Ed25519 signature: expected "
            + SIGNATURE_BYTES
            + " bytes or their Base64");
  }
}
