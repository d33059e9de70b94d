package dev.crema.data;

import dev.crema.CremaException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Cuts delimited text (RFC 4180) into records of fields, as bytes in one buffer that it uses again
 * and again. Fields may be quoted, with doubled quotes and line ends inside; lines end with LF,
 * CRLF or CR; empty lines are passed over; spaces around fields are dropped. Not thread-safe.
 */
final class CsvScanner implements AutoCloseable {
  private static final int FIRST_BUFFER = 1 << 18;
  private static final int LONGEST_RECORD = 1 << 22;
  private static final byte QUOTE = '"';
  private static final byte LF = '\n';
  private static final byte CR = '\r';

  private final InputStream in;
  private final String name;
  private final byte delimiter;
  // One byte more than is read: a line end behind the last byte, so that loops need no bound.
  private byte[] buf = new byte[FIRST_BUFFER + 1];
  private int limit;
  private int pos;
  private boolean drained;
  private int[] starts = new int[16];
  private int[] ends = new int[16];
  private boolean[] doubled = new boolean[16];
  private int fields;
  private int recordStart;
  private int recordEnd;
  private long line = 1;
  private long nextLine = 1;
  private long bytes;

  CsvScanner(InputStream in, String name, char delimiter) {
    this.in = in;
    this.name = name;
    this.delimiter = (byte) delimiter;
    refill();
    if (limit >= 3 && buf[0] == (byte) 0xEF && buf[1] == (byte) 0xBB && buf[2] == (byte) 0xBF) {
      pos = 3;
    }
  }

  /**
   * Goes to the next record.
   *
   * @return false at the end
   * @throws CremaException if a quote is not closed or text follows one; the next call goes on
   *     behind it
   */
  boolean next() {
    while (true) {
      line = nextLine;
      recordStart = pos;
      while (!scan()) {
        if (!refill()) {
          return false;
        }
      }
      if (fields > 1 || starts[0] < ends[0] || buf[ends[0]] == QUOTE) {
        for (int i = 0; i < fields; i++) {
          if (doubled[i]) {
            undouble(i);
          }
        }
        return true;
      }
    }
  }

  /**
   * Cuts the record at {@code recordStart}. False if more bytes are needed, which may also mean
   * that the input is at its end.
   */
  private boolean scan() {
    int p = recordStart;
    fields = 0;
    nextLine = line;
    if (p == limit) {
      return false;
    }
    while (true) {
      int from = p;
      while (buf[from] == ' ') {
        from++;
      }
      int to;
      boolean twice = false;
      if (buf[from] == QUOTE) {
        from++;
        p = from;
        while (true) {
          byte b = buf[p];
          if (b == QUOTE) {
            if (buf[p + 1] != QUOTE) {
              break;
            }
            twice = true;
            p++;
          } else if (b == LF || b == CR) {
            if (p == limit) {
              return (drained || isTooLong()) && unclosed();
            }
            nextLine += b == LF || buf[p + 1] != LF ? 1 : 0;
          }
          p++;
        }
        to = p++;
        while (buf[p] == ' ') {
          p++;
        }
        if (buf[p] != delimiter && buf[p] != LF && buf[p] != CR) {
          return afterQuote(p);
        }
      } else {
        byte b = buf[p];
        while (b != delimiter && b != LF && b != CR) {
          b = buf[++p];
        }
        to = p;
        while (to > from && buf[to - 1] == ' ') {
          to--;
        }
      }
      if (!drained && (p == limit || buf[p] == CR && p + 1 == limit)) {
        return false;
      }
      put(Math.min(from, to), to, twice);
      if (p == limit || buf[p] != delimiter) {
        return endRecord(p);
      }
      p++;
    }
  }

  private boolean endRecord(int p) {
    recordEnd = p;
    pos = p;
    if (p < limit) {
      pos += buf[p] == CR && p + 1 < limit && buf[p + 1] == LF ? 2 : 1;
      nextLine++;
    }
    return true;
  }

  private void put(int from, int to, boolean twice) {
    if (fields == starts.length) {
      starts = Arrays.copyOf(starts, 2 * fields);
      ends = Arrays.copyOf(ends, 2 * fields);
      doubled = Arrays.copyOf(doubled, 2 * fields);
    }
    starts[fields] = from;
    ends[fields] = to;
    doubled[fields++] = twice;
  }

  private void undouble(int field) {
    int to = starts[field];
    for (int p = to; p < ends[field]; p++) {
      buf[to++] = buf[p];
      p += buf[p] == QUOTE ? 1 : 0;
    }
    ends[field] = to;
  }

  /** Refuses text behind a closing quote and leaves the rest of its line out. */
  private boolean afterQuote(int p) {
    int end = p;
    while (buf[end] != LF && buf[end] != CR) {
      end++;
    }
    if (end == limit && !drained) {
      return false;
    }
    String rest = new String(buf, p, Math.min(end - p, 20), StandardCharsets.UTF_8);
    int column = fields + 1;
    endRecord(end);
    throw new CremaException(
        where(line, column)
            + ": text follows a closing quote: "
            + rest
            + ". Quotes inside a quoted field are doubled.");
  }

  /** Refuses a quote that never closes, and leaves out only the line where it opens. */
  private boolean unclosed() {
    int column = fields + 1;
    int end = recordStart;
    while (buf[end] != LF && buf[end] != CR) {
      end++;
    }
    nextLine = line;
    endRecord(end);
    throw new CremaException(
        where(line, column)
            + ": a quote opens here that is not closed before the end of the file or within "
            + (LONGEST_RECORD >> 20)
            + " MB.");
  }

  private boolean isTooLong() {
    return limit - recordStart >= LONGEST_RECORD;
  }

  /** Reads more bytes behind those of the record; false at the end of the input. */
  private boolean refill() {
    if (drained) {
      return false;
    }
    if (isTooLong()) {
      long at = line;
      recordStart = limit;
      pos = limit;
      throw new CremaException(
          where(at, fields + 1)
              + ": a row of more than "
              + (LONGEST_RECORD >> 20)
              + " MB. Is this a text file, and are its quotes closed?");
    }
    int kept = limit - recordStart;
    byte[] target = 2 * kept > buf.length ? new byte[2 * (buf.length - 1) + 1] : buf;
    System.arraycopy(buf, recordStart, target, 0, kept);
    buf = target;
    recordStart = 0;
    pos = 0;
    try {
      int n = in.readNBytes(buf, kept, buf.length - 1 - kept);
      limit = kept + n;
      bytes += n;
      drained = limit < buf.length - 1;
    } catch (IOException e) {
      drained = true;
      limit = kept;
      throw InputFiles.unreadable(name, e);
    } finally {
      buf[limit] = LF;
    }
    return true;
  }

  /** File, line and column, both from 1, as every message begins. */
  String where(long atLine, int column) {
    return name + ", line " + atLine + ", column " + column;
  }

  String name() {
    return name;
  }

  /** Line on which the record begins, from 1. */
  long line() {
    return line;
  }

  int fields() {
    return fields;
  }

  byte[] bytes() {
    return buf;
  }

  int start(int field) {
    return starts[field];
  }

  int end(int field) {
    return ends[field];
  }

  String text(int field) {
    return new String(buf, starts[field], ends[field] - starts[field], StandardCharsets.UTF_8);
  }

  /** Hash of the record's bytes. */
  long hash() {
    return Mix.hash(buf, recordStart, recordEnd);
  }

  /** Bytes taken from the input so far. */
  long bytesRead() {
    return bytes;
  }

  @Override
  public void close() {
    try {
      in.close();
    } catch (IOException e) {
      throw InputFiles.unreadable(name, e);
    }
  }
}
