package dev.crema.serving.security;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import javax.security.auth.x500.X500Principal;

/** Certificates for tests, made when they are needed: X.509 v3 (RFC 5280) in DER, ECDSA P-256. */
public final class Certificates {
  /** Somebody with a key and a certificate. */
  public record Identity(PrivateKey key, X509Certificate certificate) {
    public Path writeCertificate(Path file) throws IOException, GeneralSecurityException {
      return Files.writeString(file, pem("CERTIFICATE", certificate.getEncoded()));
    }

    public Path writeKey(Path file) throws IOException {
      return Files.writeString(file, pem("PRIVATE KEY", key.getEncoded()));
    }
  }

  private static final byte[] ECDSA_SHA256 =
      sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));

  private Certificates() {}

  /** One who signs others. */
  public static Identity authority(String name) throws GeneralSecurityException {
    KeyPair keys = keys();
    return new Identity(keys.getPrivate(), certificate(name, keys, name, keys.getPrivate(), true));
  }

  /** One for localhost and 127.0.0.1, signed by an authority. */
  public static Identity signed(Identity authority, String name) throws GeneralSecurityException {
    KeyPair keys = keys();
    String issuer = authority.certificate.getSubjectX500Principal().getName();
    return new Identity(keys.getPrivate(), certificate(name, keys, issuer, authority.key, false));
  }

  private static KeyPair keys() throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"));
    return generator.generateKeyPair();
  }

  private static X509Certificate certificate(
      String subject, KeyPair keys, String issuer, PrivateKey signer, boolean authority)
      throws GeneralSecurityException {
    Instant now = Instant.now();
    byte[] toSign =
        sequence(
            tagged(0xa0, integer(BigInteger.TWO)),
            integer(BigInteger.valueOf(System.nanoTime())),
            ECDSA_SHA256,
            new X500Principal(issuer).getEncoded(),
            sequence(time(now.minusSeconds(3600)), time(now.plusSeconds(86_400))),
            new X500Principal(subject).getEncoded(),
            keys.getPublic().getEncoded(),
            tagged(0xa3, sequence(authority ? basicConstraints() : alternativeNames())));
    Signature signature = Signature.getInstance("SHA256withECDSA");
    signature.initSign(signer);
    signature.update(toSign);
    byte[] der = sequence(toSign, ECDSA_SHA256, bits(signature.sign()));
    return (X509Certificate)
        CertificateFactory.getInstance("X.509")
            .generateCertificate(new java.io.ByteArrayInputStream(der));
  }

  private static byte[] basicConstraints() {
    byte[] isAuthority = sequence(tagged(0x01, new byte[] {(byte) 0xff}));
    return sequence(
        oid(0x55, 0x1d, 0x13), tagged(0x01, new byte[] {(byte) 0xff}), tagged(0x04, isAuthority));
  }

  private static byte[] alternativeNames() {
    byte[] names =
        sequence(
            tagged(0x82, "localhost".getBytes(StandardCharsets.US_ASCII)),
            tagged(0x87, new byte[] {127, 0, 0, 1}));
    return sequence(oid(0x55, 0x1d, 0x11), tagged(0x04, names));
  }

  private static byte[] time(Instant time) {
    return tagged(
        0x18,
        DateTimeFormatter.ofPattern("yyyyMMddHHmmss'Z'")
            .withZone(ZoneOffset.UTC)
            .format(time)
            .getBytes(StandardCharsets.US_ASCII));
  }

  private static byte[] integer(BigInteger value) {
    return tagged(0x02, value.toByteArray());
  }

  private static byte[] oid(int... bytes) {
    byte[] content = new byte[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      content[i] = (byte) bytes[i];
    }
    return tagged(0x06, content);
  }

  private static byte[] bits(byte[] content) {
    return tagged(0x03, concatenated(new byte[] {0}, content));
  }

  private static byte[] sequence(byte[]... parts) {
    return tagged(0x30, concatenated(parts));
  }

  private static byte[] tagged(int tag, byte[] content) {
    int n = content.length;
    byte[] head =
        n < 128
            ? new byte[] {(byte) tag, (byte) n}
            : n < 256
                ? new byte[] {(byte) tag, (byte) 0x81, (byte) n}
                : new byte[] {(byte) tag, (byte) 0x82, (byte) (n >> 8), (byte) n};
    return concatenated(head, content);
  }

  private static byte[] concatenated(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  private static String pem(String type, byte[] der) {
    return "-----BEGIN "
        + type
        + "-----\n"
        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
        + "\n-----END "
        + type
        + "-----\n";
  }
}
