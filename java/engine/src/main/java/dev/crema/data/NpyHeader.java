package dev.crema.data;

import dev.crema.CremaException;
import dev.crema.memory.Shape;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What stands before the elements of a NPY file, versions 1.0 to 3.0: a magic number, then a Python
 * dictionary with the keys descr, fortran_order and shape (NumPy enhancement proposal 1).
 */
record NpyHeader(NpyArray.Type type, boolean bigEndian, boolean fortran, Shape shape, int bytes) {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final int LONGEST = 1 << 16;

  static NpyHeader read(DataInputStream in, String name) throws IOException {
    for (byte expected : MAGIC) {
      if (in.readByte() != expected) {
        throw new CremaException(name + " is not a NPY file: it doesn't begin with \\x93NUMPY");
      }
    }
    int major = in.readUnsignedByte();
    int minor = in.readUnsignedByte();
    if (major < 1 || major > 3) {
      throw new CremaException(
          name + " has NPY version " + major + "." + minor + "; 1.0, 2.0 and 3.0 are read");
    }
    long length =
        major == 1
            ? Short.toUnsignedInt(Short.reverseBytes(in.readShort()))
            : Integer.toUnsignedLong(Integer.reverseBytes(in.readInt()));
    if (length > LONGEST) {
      throw new CremaException(
          name + ": a header of " + length + " bytes; more than " + LONGEST + " is no header");
    }
    byte[] text = new byte[(int) length];
    in.readFully(text);
    Parser parser = new Parser(new String(text, StandardCharsets.UTF_8), name);
    parser.dictionary();
    int before = MAGIC.length + 2 + (major == 1 ? 2 : 4) + (int) length;
    return parser.header(before);
  }

  /** Reads the few literals of Python that may stand in a header. */
  private static final class Parser {
    private final String text;
    private final String name;
    private int at;
    private String descr;
    private Boolean fortran;
    private Shape shape;

    Parser(String text, String name) {
      this.text = text;
      this.name = name;
    }

    void dictionary() {
      expect('{');
      while (!accept('}')) {
        String key = string();
        expect(':');
        switch (key) {
          case "descr" -> descr = descr();
          case "fortran_order" -> fortran = bool();
          case "shape" -> shape = tuple();
          default -> throw wrong("the key " + key);
        }
        if (!accept(',')) {
          expect('}');
          break;
        }
      }
      skipSpace();
      if (at < text.length()) {
        throw wrong("something after the dictionary");
      }
    }

    NpyHeader header(int bytes) {
      if (descr == null || fortran == null || shape == null) {
        throw new CremaException(name + ": the header must have descr, fortran_order and shape");
      }
      char order = descr.isEmpty() ? ' ' : descr.charAt(0);
      boolean marked = order == '<' || order == '>' || order == '|' || order == '=';
      NpyArray.Type type = NpyArray.Type.of(marked ? descr.substring(1) : descr);
      if (type == null) {
        throw new CremaException(
            name
                + " has elements of type "
                + descr
                + "; read are f2 f4 f8, i1 to i8, u1 to u8 and bool. Convert it with astype(...).");
      }
      return new NpyHeader(type, order == '>', fortran, shape, bytes);
    }

    private String descr() {
      skipSpace();
      if (at < text.length() && (text.charAt(at) == '[' || text.charAt(at) == '(')) {
        throw new CremaException(
            name + " has a structured type; save one array of numbers for each field instead");
      }
      return string();
    }

    private String string() {
      skipSpace();
      char quote = at < text.length() ? text.charAt(at) : ' ';
      int end = quote == '\'' || quote == '"' ? text.indexOf(quote, at + 1) : -1;
      if (end < 0) {
        throw wrong("no string");
      }
      String value = text.substring(at + 1, end);
      at = end + 1;
      return value;
    }

    private boolean bool() {
      skipSpace();
      for (String word : List.of("True", "False")) {
        if (text.startsWith(word, at)) {
          at += word.length();
          return word.equals("True");
        }
      }
      throw wrong("neither True nor False");
    }

    private Shape tuple() {
      List<Long> extents = new ArrayList<>();
      expect('(');
      while (!accept(')')) {
        extents.add(extent());
        if (!accept(',')) {
          expect(')');
          break;
        }
      }
      try {
        return Shape.of(extents.stream().mapToLong(Long::longValue).toArray());
      } catch (CremaException e) {
        throw new CremaException(name + ": " + e.getMessage(), e);
      }
    }

    private long extent() {
      skipSpace();
      int from = at;
      while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
        at++;
      }
      if (at == from || at - from > 18) {
        throw wrong("no extent");
      }
      long value = Long.parseLong(text.substring(from, at));
      accept('L');
      return value;
    }

    private boolean accept(char c) {
      skipSpace();
      if (at < text.length() && text.charAt(at) == c) {
        at++;
        return true;
      }
      return false;
    }

    private void expect(char c) {
      if (!accept(c)) {
        throw wrong("no '" + c + "'");
      }
    }

    private void skipSpace() {
      while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
        at++;
      }
    }

    private CremaException wrong(String found) {
      return new CremaException(
          name + ": the NPY header is damaged, there is " + found + " at character " + at);
    }
  }
}
