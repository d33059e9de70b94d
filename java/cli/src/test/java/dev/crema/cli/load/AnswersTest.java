package dev.crema.cli.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AnswersTest {
  private static final byte[] MANY =
      bytes(
          "HTTP/1.1 200 OK\r\n"
              + "content-type: text/plain\r\n"
              + "Content-Length: 14\r\n\r\n"
              + "HTTP/1.1 500\r\n"
              + "HTTP/1.1 100 Continue\r\n\r\n"
              + "HTTP/1.1 201 Created\r\n"
              + "content-length:0\r\n\r\n"
              + "HTTP/1.1 503 Service Unavailable\r\n"
              + "Transfer-Encoding: Chunked\r\n\r\n"
              + "5;name=x\r\n"
              + "ab\r\n"
              + "c\r\n"
              + "1A\r\n"
              + "HTTP/1.1 404 Not Found\r\n\r\n\r\n"
              + "0\r\n"
              + "last: one\r\n\r\n"
              + "HTTP/1.1 204 No Content\r\n\r\n"
              + "HTTP/1.1 304 Not Modified\r\n"
              + "content-length: 12\r\n\r\n"
              + "HTTP/1.1 429 Too Many Requests\r\n"
              + "connection: Close\r\n"
              + "content-length: 2\r\n\r\n"
              + "{}");
  private static final List<String> STATUSES =
      List.of("200", "201", "503", "204", "304", "429 closes");

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static void read(Answers answers, byte[] bytes, int from, int to, List<String> found) {
    ByteBuf some = Unpooled.wrappedBuffer(Arrays.copyOfRange(bytes, from, to));
    while (answers.read(some)) {
      found.add(answers.status() + (answers.closes() ? " closes" : ""));
    }
    assertThat(some.isReadable()).isFalse();
  }

  @Test
  void answersAreFoundWhereverTheyAreCut() {
    for (int first = 0; first <= MANY.length; first++) {
      for (int second : new int[] {first, (first + MANY.length) / 2, MANY.length}) {
        Answers answers = new Answers();
        List<String> found = new ArrayList<>();
        read(answers, MANY, 0, first, found);
        read(answers, MANY, first, second, found);
        read(answers, MANY, second, MANY.length, found);
        assertThat(found).as("cut at %d and %d", first, second).isEqualTo(STATUSES);
      }
    }
  }

  @Test
  void answersAreFoundByteByByte() {
    Answers answers = new Answers();
    List<String> found = new ArrayList<>();
    for (int i = 0; i < MANY.length; i++) {
      read(answers, MANY, i, i + 1, found);
    }
    assertThat(found).isEqualTo(STATUSES);
  }

  @Test
  void anAnswerOfUnknownLengthEndsWithItsConnection() {
    Answers answers = new Answers();
    List<String> found = new ArrayList<>();
    byte[] old = bytes("HTTP/1.0 200 OK\r\nserver: old\r\n\r\nall the rest\r\n\r\n");
    read(answers, old, 0, old.length, found);
    assertThat(found).isEmpty();
    assertThat(answers.endsWithConnection()).isTrue();
    assertThat(answers.closes()).isTrue();
    assertThat(answers.status()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SSH-2.0-x\r\n",
        "HTTP/1.1 OK\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
      })
  void whatIsNoHttpIsRefused(String text) {
    ByteBuf bytes = Unpooled.wrappedBuffer(bytes(text));
    assertThatThrownBy(() -> new Answers().read(bytes))
        .isInstanceOf(IllegalArgumentException.class);
    ByteBuf endless = Unpooled.wrappedBuffer(new byte[1 << 20]);
    assertThatThrownBy(() -> new Answers().read(endless))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
