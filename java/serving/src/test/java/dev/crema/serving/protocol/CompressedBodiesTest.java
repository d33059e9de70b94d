package dev.crema.serving.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.linecorp.armeria.common.ContentTooLargeException;
import dev.crema.serving.ProtocolServer;
import dev.crema.serving.inference.ServingException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Bodies that are compressed, some of them to be unpacked into more than anyone can hold. */
@Timeout(120)
class CompressedBodiesTest {
  private static final String BODY = "{\"instances\": [[1, 2, 3]]}";
  private static final String ANSWER = "{\"predictions\":[[3.0,3.0]]}";
  private static final int LIMIT = 64 << 20; // of ProtocolServer

  private static byte[] compressed(String coding, byte[]... parts) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream out =
        coding.equals("deflate") ? new DeflaterOutputStream(bytes) : new GZIPOutputStream(bytes)) {
      for (byte[] part : parts) {
        out.write(part);
      }
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    return bytes.toByteArray();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** Blanks, which JSON has room for anywhere: a thousandth of their size when compressed. */
  private static byte[] blanks(int count) {
    byte[] blanks = new byte[count];
    Arrays.fill(blanks, (byte) ' ');
    return blanks;
  }

  @Test
  void bothCodingsAreReadByBothProtocolsAndWhatIsNoneIsRefused() {
    String infer =
        "{\"inputs\":[{\"name\":\"x\",\"shape\":[1,3],\"datatype\":\"FP32\",\"data\":[1,2,3]}]}";
    try (ProtocolServer server = new ProtocolServer(ProtocolOptions.DEFAULT)) {
      for (String coding : new String[] {"gzip", "deflate", "GZIP"}) {
        HttpResponse<byte[]> answer =
            server.postBytes(
                "/v1/models/pets:predict",
                compressed(coding, utf8(BODY)),
                "content-encoding",
                coding);
        assertThat(answer.body()).as(coding).asString().isEqualTo(ANSWER);
        assertThat(
                server
                    .postBytes(
                        "/v2/models/pets/infer",
                        compressed(coding, utf8(infer)),
                        "content-encoding",
                        coding)
                    .body())
            .asString()
            .contains("[3.0,3.0]");
      }
      HttpResponse<byte[]> other =
          server.postBytes("/v1/models/pets:predict", utf8(BODY), "content-encoding", "br");
      assertThat(other.statusCode()).isEqualTo(400);
      assertThat(other.body()).asString().contains("gzip, deflate or identity", "'br'");
      // A body just within the limit is read, one byte more is not.
      HttpResponse<byte[]> most =
          server.postBytes(
              "/v1/models/pets:predict",
              compressed("gzip", utf8(BODY), blanks(LIMIT - BODY.length())),
              "content-encoding",
              "gzip");
      assertThat(most.body()).asString().isEqualTo(ANSWER);
      HttpResponse<byte[]> tooMuch =
          server.postBytes(
              "/v1/models/pets:predict",
              compressed("gzip", utf8(BODY), blanks(LIMIT - BODY.length() + 1)),
              "content-encoding",
              "gzip");
      assertThat(tooMuch.statusCode()).isEqualTo(413);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gzip", "x-gzip", "deflate"})
  void whatWasCompressedComesBack(String coding) {
    byte[] bytes = new byte[300_001];
    new Random(1).nextBytes(bytes);
    byte[] sent = compressed(coding, bytes);
    assertThat(Inflation.of(coding, new ByteArrayInputStream(sent), bytes.length)).isEqualTo(bytes);
    assertThat(Inflation.of(coding, new ByteArrayInputStream(sent), 0)).isEqualTo(bytes);
    assertThat(Inflation.of(coding, new ByteArrayInputStream(compressed(coding)), 10)).isEmpty();
    assertThatThrownBy(() -> Inflation.of(coding, new ByteArrayInputStream(sent), bytes.length - 1))
        .isInstanceOf(ContentTooLargeException.class);
  }

  @ParameterizedTest
  @CsvSource({"gzip,1000000", "gzip,1", "deflate,1000000"})
  void aBombIsReadOnlyAsFarAsTheLimit(String coding, long limit) {
    byte[] bomb = compressed(coding, blanks(64 << 20));
    assertThat(bomb.length).isGreaterThan(50_000);
    Counting read = new Counting(bomb);
    assertThatThrownBy(() -> Inflation.of(coding, read, limit))
        .isInstanceOf(ContentTooLargeException.class);
    // Deflate packs a thousand bytes into one at best; streams read some hundred bytes ahead.
    assertThat(read.count).isLessThan(limit / 1000 + 4096);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gzip", "deflate"})
  void whatIsCutOffOrSomethingElseIsTheClientsFault(String coding) {
    byte[] sent = compressed(coding, utf8(BODY));
    for (byte[] wrong :
        new byte[][] {
          Arrays.copyOf(sent, sent.length / 2), utf8(BODY), {}, {31, -117, 8, 0, 0, 0, 0, 0, 0, 0}
        }) {
      assertThatThrownBy(() -> Inflation.of(coding, new ByteArrayInputStream(wrong), 100))
          .isInstanceOf(ServingException.class)
          .hasMessageContaining("not compressed as its content-encoding");
    }
  }

  /** Knows how much of it was read. */
  private static final class Counting extends ByteArrayInputStream {
    private long count;

    Counting(byte[] bytes) {
      super(bytes);
    }

    @Override
    public synchronized int read(byte[] bytes, int from, int length) {
      int read = super.read(bytes, from, length);
      count += Math.max(0, read);
      return read;
    }

    @Override
    public synchronized int read() {
      count++;
      return super.read();
    }
  }
}
