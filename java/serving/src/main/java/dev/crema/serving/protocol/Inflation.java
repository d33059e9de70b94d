package dev.crema.serving.protocol;

import com.linecorp.armeria.common.ContentTooLargeException;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.tensor.JsonFormat;
import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
import java.util.zip.GZIPInputStream;
import java.util.zip.InflaterInputStream;

/** Compressed bodies of requests, inflated no further than a body may be long. */
final class Inflation {
  private static final int LONGEST = Integer.MAX_VALUE - 16; // an array

  private Inflation() {}

  /**
   * A body as it was before it was compressed.
   *
   * @param coding what {@code content-encoding} says: gzip, deflate or identity
   * @param limit bytes of the result; 0 for as many as an array holds
   * @throws ContentTooLargeException if there are more; no more than {@code limit} and one were
   *     inflated
   * @throws ServingException if the coding is not known, or the body is not compressed so
   */
  static byte[] of(String coding, InputStream body, long limit) {
    int most = limit <= 0 || limit > LONGEST ? LONGEST : (int) limit;
    try (InputStream in = inflating(coding, body)) {
      byte[] inflated = in.readNBytes(most + 1);
      if (inflated.length > most) {
        throw ContentTooLargeException.builder().maxContentLength(most).build();
      }
      return inflated;
    } catch (IOException e) {
      throw ServingException.invalidArgument(
          "The body is not compressed as its content-encoding '"
              + JsonFormat.shortened(coding)
              + "' says: "
              + (e.getMessage() == null ? "it is cut off" : e.getMessage()));
    }
  }

  private static InputStream inflating(String coding, InputStream body) throws IOException {
    return switch (coding.strip().toLowerCase(Locale.ROOT)) {
      case "gzip", "x-gzip" -> new GZIPInputStream(body);
      case "deflate" -> new InflaterInputStream(body);
      case "identity", "" -> body;
      default ->
          throw ServingException.invalidArgument(
              "The content-encoding of a request is gzip, deflate or identity, got '"
                  + JsonFormat.shortened(coding)
                  + '\'');
    };
  }
}
