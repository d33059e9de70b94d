package dev.crema.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.Writer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/**
 * Standard output that remembers why it could not be written. {@code System.out} alone swallows
 * that: output to a full disk would be lost, and the command end as if all were well.
 */
final class StandardOutput extends FilterOutputStream {
  private static final int BUFFER = 8192;

  private IOException failure;

  StandardOutput(OutputStream out) {
    super(out);
  }

  /**
   * Puts one in the place of {@code System.out}, in the same encoding; but of ASCII, which is what
   * Java finds where no locale is set, as in containers, UTF-8 is made, for standard error too:
   * names of classes would become question marks.
   */
  static StandardOutput install() {
    StandardOutput out = new StandardOutput(new FileOutputStream(FileDescriptor.out));
    Charset charset = charset("stdout");
    System.setOut(new PrintStream(new BufferedOutputStream(out, BUFFER), true, unicode(charset)));
    Charset errors = charset("stderr");
    if (!unicode(errors).equals(errors)) {
      System.setErr(
          new PrintStream(new FileOutputStream(FileDescriptor.err), true, unicode(errors)));
    }
    return out;
  }

  private static Charset unicode(Charset charset) {
    return charset.equals(StandardCharsets.US_ASCII) ? StandardCharsets.UTF_8 : charset;
  }

  /** What writes to {@code System.out}, whichever it is now; its close closes nothing. */
  static Writer writer() {
    PrintStream now = System.out;
    return new Writer() {
      @Override
      public void write(char[] text, int from, int count) {
        now.print(String.valueOf(text, from, count));
      }

      @Override
      public void flush() {
        now.flush();
      }

      @Override
      public void close() {
        now.flush();
      }
    };
  }

  private static Charset charset(String stream) {
    for (String property : List.of(stream + ".encoding", "sun." + stream + ".encoding")) {
      String name = System.getProperty(property);
      if (name != null && Charset.isSupported(name)) {
        return Charset.forName(name);
      }
    }
    return Charset.defaultCharset();
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int from, int count) throws IOException {
    if (failure != null) {
      throw failure;
    }
    try {
      out.write(bytes, from, count);
    } catch (IOException e) {
      failure = e;
      throw e;
    }
  }

  /**
   * What a command ends with whose output was flushed.
   *
   * @param code of the command itself, which stays where a reader such as {@code head} has left
   *     before the end
   */
  int exitCode(int code, PrintStream errors) {
    if (failure == null || isBrokenPipe(failure)) {
      return code;
    }
    errors.println("crema: Cannot write standard output: " + failure.getMessage());
    return code == 0 ? 1 : code;
  }

  private static boolean isBrokenPipe(IOException e) {
    return e.getMessage() != null && e.getMessage().toLowerCase(Locale.ROOT).contains("pipe");
  }
}
