package dev.crema.data;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/** In which encoding a text is, and streams that bring others to UTF-8. */
final class TextEncoding {
  /** Latin-1 with signs such as € where that has control characters. */
  private static final Charset WESTERN = Charset.forName("windows-1252");

  private static final int CHARACTERS = 1 << 13;

  private TextEncoding() {}

  /**
   * By a text's beginning: UTF-16 if a byte order mark says so, UTF-8 if it can be, else Western.
   */
  static Charset of(byte[] sample) {
    if (isMarked(sample)) {
      return StandardCharsets.UTF_16;
    }
    boolean valid =
        !StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .decode(ByteBuffer.wrap(sample), CharBuffer.allocate(sample.length), false)
            .isError();
    return valid ? StandardCharsets.UTF_8 : WESTERN;
  }

  /** Whether a text begins with the byte order mark of UTF-16. */
  static boolean isMarked(byte[] sample) {
    int first = sample.length < 2 ? 0 : (sample[0] & 0xFF) << 8 | sample[1] & 0xFF;
    return first == 0xFEFF || first == 0xFFFE;
  }

  static byte[] toUtf8(byte[] sample, Charset charset) {
    return charset.equals(StandardCharsets.UTF_8)
        ? sample
        : new String(sample, charset).getBytes(StandardCharsets.UTF_8);
  }

  /** The same text in UTF-8; closing it closes the other. */
  static InputStream toUtf8(InputStream in, Charset charset) {
    return charset.equals(StandardCharsets.UTF_8) ? in : new Utf8Stream(in, charset);
  }

  private static final class Utf8Stream extends InputStream {
    private final Reader reader;
    private final char[] chars = new char[CHARACTERS];
    private ByteBuffer bytes = ByteBuffer.allocate(0);

    /** The first half of a character whose other half is still to come, or 0. */
    private char pending;

    Utf8Stream(InputStream in, Charset charset) {
      this.reader = new InputStreamReader(in, charset);
    }

    @Override
    public int read() throws IOException {
      return fill() ? bytes.get() & 0xFF : -1;
    }

    @Override
    public int read(byte[] b, int offset, int length) throws IOException {
      if (length == 0 || !fill()) {
        return length == 0 ? 0 : -1;
      }
      int n = Math.min(length, bytes.remaining());
      bytes.get(b, offset, n);
      return n;
    }

    private boolean fill() throws IOException {
      while (!bytes.hasRemaining()) {
        int kept = pending == 0 ? 0 : 1;
        chars[0] = pending;
        int n = reader.read(chars, kept, chars.length - kept);
        if (n < 0 && kept == 0) {
          return false;
        }
        int count = kept + Math.max(n, 0);
        boolean half = n > 0 && Character.isHighSurrogate(chars[count - 1]);
        pending = half ? chars[count - 1] : 0;
        bytes = StandardCharsets.UTF_8.encode(CharBuffer.wrap(chars, 0, half ? count - 1 : count));
      }
      return true;
    }

    @Override
    public void close() throws IOException {
      reader.close();
    }
  }
}
