package dev.crema.io;

import dev.crema.CremaException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the directory of a zip (PKWARE APPNOTE 6.3) and refuses whatever a model has no need of:
 * encryption, several disks, methods other than stored and deflated, the same name twice, names
 * that lead out of the folder, entries that overlap, sizes no honest model packs to.
 */
final class ZipReader {
  static final int MAX_ENTRIES = 1000;
  static final int MAX_DIRECTORY = 1 << 20;

  /**
   * Deflated entries may unpack to this plus {@link #MAX_RATIO} times the file. Weights pack
   * two-fold, pruned ones some thirty-fold.
   */
  static final long MAX_SMALL = 64 << 20;

  static final long MAX_RATIO = 100;

  private static final int MAX_COMMENT = 0xffff;

  private final Path path;
  private final FileRange file;

  /** One line of the directory; offsets from the file's first byte. */
  private record Line(String name, int method, long packed, long size, long offset) {}

  private ZipReader(Path path, FileRange file) {
    this.path = path;
    this.file = file;
  }

  /** The files of a zip by name, folders left out. They share {@code file}. */
  static Map<String, ArchiveEntry> entries(Path path, FileRange file) throws IOException {
    var reader = new ZipReader(path, file);
    ByteBuffer end = reader.end();
    ByteBuffer directory = read(file, end.getLong(16), end.getLong(8));
    return reader.locate(reader.lines(directory, (int) end.getLong(0)), end.getLong(16));
  }

  /** Three longs: entries, bytes and offset of the directory. */
  private ByteBuffer end() throws IOException {
    int tailSize = (int) Math.min(file.size(), 22 + MAX_COMMENT);
    ByteBuffer tail = read(file, file.size() - tailSize, tailSize);
    int at = tailSize - 22;
    while (at >= 0
        && (tail.getInt(at) != ZipWriter.END
            || (tail.getShort(at + 20) & 0xffff) != tailSize - at - 22)) {
      at--;
    }
    if (at < 0) {
      throw broken("it has no zip directory at its end: it is cut short or no zip");
    }
    long position = file.size() - tailSize + at;
    long disks = tail.getInt(at + 4);
    long here = tail.getShort(at + 8) & 0xffff;
    long entries = tail.getShort(at + 10) & 0xffff;
    long size = tail.getInt(at + 12) & ZipWriter.BEYOND_32;
    long offset = tail.getInt(at + 16) & ZipWriter.BEYOND_32;
    if (entries == 0xffff || size == ZipWriter.BEYOND_32 || offset == ZipWriter.BEYOND_32) {
      ByteBuffer locator = read(file, Math.max(0, position - 20), 20);
      position = locator.getLong(8);
      if (locator.getInt(0) != ZipWriter.LOCATOR64 || position < 0 || position > file.size() - 76) {
        throw broken("its zip64 directory is missing");
      }
      ByteBuffer end64 = read(file, position, 56);
      if (end64.getInt(0) != ZipWriter.END64) {
        throw broken("its zip64 directory is damaged");
      }
      disks |= end64.getLong(16);
      here = end64.getLong(24);
      entries = end64.getLong(32);
      size = end64.getLong(40);
      offset = end64.getLong(48);
    }
    if (disks != 0 || here != entries) {
      throw broken("it is one of several parts; join them first");
    }
    if (entries < 0 || entries > MAX_ENTRIES || size < 0 || size > MAX_DIRECTORY) {
      throw broken(
          "its directory claims "
              + Long.toUnsignedString(entries)
              + " entries; a model has at most "
              + MAX_ENTRIES);
    }
    if (offset < 0 || offset != position - size) {
      throw broken("its directory does not lie where its end says");
    }
    return ByteBuffer.allocate(24).putLong(entries).putLong(size).putLong(offset).rewind();
  }

  private List<Line> lines(ByteBuffer b, int count) {
    List<Line> lines = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      if (b.remaining() < 46 || b.getInt(b.position()) != ZipWriter.CENTRAL) {
        throw broken("its directory is damaged at entry " + (i + 1));
      }
      int at = b.position();
      int flags = b.getShort(at + 8);
      int method = b.getShort(at + 10) & 0xffff;
      long packed = b.getInt(at + 20) & ZipWriter.BEYOND_32;
      long size = b.getInt(at + 24) & ZipWriter.BEYOND_32;
      int nameLength = b.getShort(at + 28) & 0xffff;
      int extraLength = b.getShort(at + 30) & 0xffff;
      int commentLength = b.getShort(at + 32) & 0xffff;
      long offset = b.getInt(at + 42) & ZipWriter.BEYOND_32;
      if (b.remaining() < 46 + nameLength + extraLength + commentLength) {
        throw broken("its directory is damaged at entry " + (i + 1));
      }
      String name = name(b.slice(at + 46, nameLength));
      ByteBuffer extra = zip64(b, at + 46 + nameLength, extraLength);
      // Only fields that did not fit stand in the extra field, in this order.
      size = size == ZipWriter.BEYOND_32 ? next(extra, name) : size;
      packed = packed == ZipWriter.BEYOND_32 ? next(extra, name) : packed;
      offset = offset == ZipWriter.BEYOND_32 ? next(extra, name) : offset;
      if ((flags & 1) != 0) {
        throw broken("'" + name + "' is encrypted; pack the model without a password");
      }
      if (method != 0 && method != 8 || method == 0 && packed != size) {
        throw broken(
            "'" + name + "' is packed by method " + method + "; expected stored or deflate");
      }
      lines.add(new Line(name, method, packed, size, offset));
      b.position(at + 46 + nameLength + extraLength + commentLength);
    }
    if (b.hasRemaining()) {
      throw broken("its directory holds more than the " + count + " entries that it claims");
    }
    return lines;
  }

  private Map<String, ArchiveEntry> locate(List<Line> lines, long directory) throws IOException {
    List<Line> byOffset = new ArrayList<>(lines);
    byOffset.sort(Comparator.comparingLong(Line::offset));
    Map<String, ArchiveEntry> entries = new LinkedHashMap<>();
    long free = 0;
    long unpacked = 0;
    for (Line line : byOffset) {
      if (line.offset < free || line.offset > directory - 30) {
        throw broken("'" + line.name + "' overlaps another entry or lies outside the file");
      }
      ByteBuffer local = read(file, line.offset, 30);
      int nameLength = local.getShort(26) & 0xffff;
      long start = line.offset + 30 + nameLength + (local.getShort(28) & 0xffff);
      if (local.getInt(0) != ZipWriter.LOCAL
          || (local.getShort(8) & 0xffff) != line.method
          || start > directory
          || line.packed > directory - start
          || line.packed < 0
          || line.size < 0
          || !name(read(file, line.offset + 30, nameLength)).equals(line.name)) {
        throw broken("'" + line.name + "' is damaged or cut short");
      }
      free = start + line.packed;
      if (line.method == 8) {
        unpacked += line.size;
        if (unpacked < 0 || unpacked > MAX_SMALL + MAX_RATIO * file.size()) {
          throw broken(
              "'" + line.name + "' unpacks to " + line.size + " bytes, more than a model does");
        }
      }
      if (!line.name.endsWith("/")) {
        String where = path + "!" + line.name;
        FileRange bytes = file.slice(start, line.packed);
        var entry = new ArchiveEntry(where, bytes, line.method == 8, line.size);
        if (entries.put(line.name, entry) != null) {
          throw broken("'" + line.name + "' stands twice");
        }
      }
    }
    return entries;
  }

  private String name(ByteBuffer bytes) {
    String name;
    try {
      name = StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw broken("an entry's name is not UTF-8");
    }
    boolean leadsOut =
        name.isEmpty()
            || name.startsWith("/")
            || name.contains("\\")
            || name.contains(":")
            || name.codePoints().anyMatch(Character::isISOControl)
            || List.of(name.split("/", -1)).contains("..");
    if (leadsOut) {
      throw broken("an entry's name leads out of the folder: '" + name.strip() + "'");
    }
    return name;
  }

  /** The zip64 part of an entry's extra fields; empty if there is none. */
  private ByteBuffer zip64(ByteBuffer b, int start, int length) {
    int at = start;
    while (at + 4 <= start + length) {
      int size = b.getShort(at + 2) & 0xffff;
      if (at + 4 + size > start + length) {
        break;
      }
      if (b.getShort(at) == ZipWriter.ZIP64_FIELD) {
        return b.slice(at + 4, size).order(ByteOrder.LITTLE_ENDIAN);
      }
      at += 4 + size;
    }
    return ByteBuffer.allocate(0);
  }

  private long next(ByteBuffer extra, String name) {
    if (extra.remaining() < 8) {
      throw broken("'" + name + "' lacks its zip64 sizes");
    }
    long value = extra.getLong();
    if (value < 0) {
      throw broken("'" + name + "' claims " + Long.toUnsignedString(value) + " bytes");
    }
    return value;
  }

  private static ByteBuffer read(FileRange file, long from, long size) throws IOException {
    ByteBuffer b = ByteBuffer.allocate((int) size).order(ByteOrder.LITTLE_ENDIAN);
    file.read(from, b);
    return b.rewind();
  }

  private CremaException broken(String what) {
    return new CremaException(
        "Cannot read " + path + " as a zip: " + what + ". Copy it again from its source.");
  }
}
