package dev.crema.cli.load;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * Finds where answers end in what comes over an HTTP/1.1 connection, and their status; keeps
 * nothing else and allocates nothing for an answer. Not thread-safe.
 */
final class Answers {
  private static final int LONGEST_LINE = 16 << 10;
  private static final int SIZE_OF_OTHERS = -1; // neither a length nor chunks: until the end

  /** What comes next. */
  private enum Part {
    STATUS,
    HEADERS,
    BODY,
    CHUNK_SIZE,
    CHUNK,
    CHUNK_END,
    TRAILERS,
    UNTIL_CLOSED
  }

  private final byte[] line = new byte[LONGEST_LINE];
  private int length; // of the line so far
  private Part part = Part.STATUS;
  private int status;
  private boolean closes;
  private boolean chunked;
  private long left; // bytes of the body or chunk

  /** Of the answer that was complete last, or is being read. */
  int status() {
    return status;
  }

  /** Whether the server closes the connection behind that answer. */
  boolean closes() {
    return closes;
  }

  /** Whether the end of the connection is the end of an answer. */
  boolean endsWithConnection() {
    return part == Part.UNTIL_CLOSED;
  }

  /**
   * Reads on; returns whether an answer is complete, behind which there may be more.
   *
   * @throws IllegalArgumentException if this is not HTTP
   */
  boolean read(ByteBuf bytes) {
    while (bytes.isReadable()) {
      switch (part) {
        case BODY, CHUNK -> {
          int taken = (int) Math.min(left, bytes.readableBytes());
          bytes.skipBytes(taken);
          left -= taken;
          if (left == 0) {
            if (part == Part.BODY) {
              return complete();
            }
            part = Part.CHUNK_END;
          }
        }
        case UNTIL_CLOSED -> bytes.skipBytes(bytes.readableBytes());
        default -> {
          if (readLine(bytes) && line()) {
            return complete();
          }
        }
      }
    }
    return false;
  }

  private boolean complete() {
    part = Part.STATUS;
    return true;
  }

  /** Whether a line is whole; it is in {@link #line} without its end. */
  private boolean readLine(ByteBuf bytes) {
    int end = bytes.indexOf(bytes.readerIndex(), bytes.writerIndex(), (byte) '\n');
    int more = (end < 0 ? bytes.writerIndex() : end) - bytes.readerIndex();
    if (length + more > LONGEST_LINE) {
      throw new IllegalArgumentException(
          "A line of the answer has over " + LONGEST_LINE + " bytes");
    }
    bytes.readBytes(line, length, more);
    length += more;
    if (end < 0) {
      return false;
    }
    bytes.skipBytes(1);
    if (length > 0 && line[length - 1] == '\r') {
      length--;
    }
    return true;
  }

  /** Takes a line in; returns whether the answer ends with it. */
  private boolean line() {
    int n = length;
    length = 0;
    switch (part) {
      case STATUS -> {
        if (n < 12 || !starts(n, "http/1.")) {
          throw new IllegalArgumentException("No HTTP: " + text(0, n));
        }
        status = (int) number(9, 12, 10);
        closes = line[7] == '0';
        chunked = false;
        left = SIZE_OF_OTHERS;
        part = Part.HEADERS;
      }
      case HEADERS -> {
        if (n == 0) {
          return headersEnd();
        }
        header(n);
      }
      case CHUNK_SIZE -> {
        int end = 0;
        while (end < n && Character.digit(line[end], 16) >= 0) {
          end++;
        }
        left = number(0, end, 16);
        part = left == 0 ? Part.TRAILERS : Part.CHUNK;
      }
      case CHUNK_END -> part = Part.CHUNK_SIZE;
      default -> { // trailers
        return n == 0;
      }
    }
    return false;
  }

  private boolean headersEnd() {
    if (status < 200) { // another one follows
      part = Part.STATUS;
      return false;
    }
    if (status == 204 || status == 304 || left == 0 && !chunked) {
      return true;
    }
    part = chunked ? Part.CHUNK_SIZE : left > 0 ? Part.BODY : Part.UNTIL_CLOSED;
    closes |= part == Part.UNTIL_CLOSED;
    return false;
  }

  private void header(int n) {
    if (starts(n, "content-length:")) {
      int from = 15;
      while (from < n && line[from] == ' ') {
        from++;
      }
      left = number(from, n, 10);
    } else if (starts(n, "transfer-encoding:")) {
      chunked |= text(18, n).contains("chunked");
    } else if (starts(n, "connection:")) {
      closes |= text(11, n).contains("close");
    }
  }

  /** Whether the line does, whatever its case; {@code what} is in lower case. */
  private boolean starts(int n, String what) {
    if (n < what.length()) {
      return false;
    }
    for (int i = 0; i < what.length(); i++) {
      byte c = line[i];
      if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != what.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  private String text(int from, int to) {
    return new String(line, from, to - from, StandardCharsets.ISO_8859_1).toLowerCase(Locale.ROOT);
  }

  private long number(int from, int to, int radix) {
    long value = 0;
    for (int i = from; i < to; i++) {
      int digit = Character.digit(line[i], radix);
      if (digit < 0 || value > Integer.MAX_VALUE) {
        throw new IllegalArgumentException("No number: " + text(from, to));
      }
      value = value * radix + digit;
    }
    if (from >= to) {
      throw new IllegalArgumentException("A number is missing in the answer");
    }
    return value;
  }
}
