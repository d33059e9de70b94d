package dev.crema.bench.serving;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Gives every request the same answer: what this machine, its loopback and a client allow a server
 * in Java that does nothing. Reads no more of HTTP/1.1 than where a request ends.
 *
 * <p>Arguments: a port of loopback and a file with the body of the answer.
 */
public final class ConstantServer {
  private static final int MOST_BYTES = 1 << 16;
  private static final byte[] END_OF_HEADERS = {'\r', '\n', '\r', '\n'};
  private static final String LENGTH = "\r\ncontent-length:";

  private final byte[] answer;

  private ConstantServer(byte[] body) {
    byte[] headers =
        ("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
                + body.length
                + "\r\n\r\n")
            .getBytes(StandardCharsets.US_ASCII);
    answer = ByteBuffer.allocate(headers.length + body.length).put(headers).put(body).array();
  }

  public static void main(String[] arguments) throws IOException {
    ConstantServer server = new ConstantServer(Files.readAllBytes(Path.of(arguments[1])));
    int loops = Runtime.getRuntime().availableProcessors();
    Selector[] selectors = new Selector[loops];
    for (int i = 0; i < loops; i++) {
      Selector selector = Selector.open();
      selectors[i] = selector;
      new Thread(() -> server.loop(selector), "constant-" + i).start();
    }
    try (ServerSocketChannel accepting = ServerSocketChannel.open()) {
      accepting.bind(
          new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(arguments[0])));
      for (int next = 0; ; next = (next + 1) % loops) {
        SocketChannel client = accepting.accept();
        client.configureBlocking(false);
        client.socket().setTcpNoDelay(true);
        client.register(
            selectors[next], SelectionKey.OP_READ, ByteBuffer.allocateDirect(MOST_BYTES));
        selectors[next].wakeup();
      }
    }
  }

  private void loop(Selector selector) {
    ByteBuffer out = ByteBuffer.allocateDirect(answer.length);
    out.put(answer);
    try {
      while (true) {
        selector.select(key -> serve(key, out));
      }
    } catch (IOException e) {
      throw new IllegalStateException("The selector failed", e);
    }
  }

  private static void serve(SelectionKey key, ByteBuffer answer) {
    SocketChannel client = (SocketChannel) key.channel();
    ByteBuffer in = (ByteBuffer) key.attachment();
    try {
      if (client.read(in) < 0) {
        client.close();
        return;
      }
      for (int end = end(in); end >= 0; end = end(in)) {
        in.flip().position(end);
        in.compact();
        answer.flip();
        while (answer.hasRemaining()) {
          client.write(answer);
        }
      }
      if (!in.hasRemaining()) {
        client.close(); // longer than any request of the benchmark
      }
    } catch (IOException e) {
      key.cancel();
    }
  }

  /** Where the first request ends; -1 while it has not come whole. */
  private static int end(ByteBuffer in) {
    int headers = endOfHeaders(in);
    if (headers < 0) {
      return -1;
    }
    byte[] text = new byte[headers];
    in.get(0, text);
    String all = new String(text, StandardCharsets.US_ASCII).toLowerCase(Locale.ROOT);
    int at = all.indexOf(LENGTH);
    int body = 0;
    if (at >= 0) {
      int from = at + LENGTH.length();
      body = Integer.parseInt(all.substring(from, all.indexOf('\r', from)).strip());
    }
    return headers + body <= in.position() ? headers + body : -1;
  }

  private static int endOfHeaders(ByteBuffer in) {
    int matched = 0;
    for (int i = 0; i < in.position(); i++) {
      byte c = in.get(i);
      matched = c == END_OF_HEADERS[matched] ? matched + 1 : c == '\r' ? 1 : 0;
      if (matched == END_OF_HEADERS.length) {
        return i + 1;
      }
    }
    return -1;
  }
}
