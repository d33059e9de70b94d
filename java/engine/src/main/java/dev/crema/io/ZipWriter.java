package dev.crema.io;

import dev.crema.CremaException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes a zip (PKWARE APPNOTE 6.3) whose entries are stored, not deflated, each beginning at a
 * multiple of 64 bytes: so tensors can be mapped where they lie. Times are fixed at 1980-01-01: the
 * same content gives the same bytes. Entries and archives beyond 4 GB use zip64.
 */
final class ZipWriter {
  static final int LOCAL = 0x04034b50;
  static final int CENTRAL = 0x02014b50;
  static final int END = 0x06054b50;
  static final int END64 = 0x06064b50;
  static final int LOCATOR64 = 0x07064b50;

  /** A 32-bit field of this value refers to a zip64 field. */
  static final long BEYOND_32 = 0xffff_ffffL;

  /** A name or comment is UTF-8. */
  static final int UTF8_FLAG = 0x800;

  /** Extra field that holds 64-bit sizes and offsets. */
  static final int ZIP64_FIELD = 1;

  // Extra field for padding, registered for alignment of Android packages: 2 bytes of alignment,
  // then filler.
  private static final int PADDING_FIELD = 0xd935;
  private static final int DATE_1980 = 0x21;

  private record Entry(byte[] name, long offset, long size, int crc32) {
    boolean is64() {
      return size >= BEYOND_32 || offset >= BEYOND_32;
    }
  }

  private final SeekableByteChannel out;
  private final List<Entry> entries = new ArrayList<>();

  ZipWriter(SeekableByteChannel out) {
    this.out = out;
  }

  /**
   * Adds an entry.
   *
   * @return its SHA-256 in hexadecimal
   */
  String add(String entryName, Content content) throws IOException {
    byte[] name = entryName.getBytes(StandardCharsets.UTF_8);
    boolean zip64 = content.size() < 0 || content.size() >= BEYOND_32;
    long offset = out.position();
    int fixed = 30 + name.length + (zip64 ? 20 : 0) + 6;
    int padding = (int) Math.floorMod(-(offset + fixed), (long) SafetensorsContent.ALIGNMENT);
    ByteBuffer header = littleEndian(fixed + padding);
    header.putInt(LOCAL);
    version(header, zip64);
    header.putInt(0).putInt(zip64 ? -1 : 0).putInt(zip64 ? -1 : 0); // known after the data
    header.putShort((short) name.length).putShort((short) (fixed + padding - 30 - name.length));
    header.put(name);
    if (zip64) {
      header.putShort((short) ZIP64_FIELD).putShort((short) 16).putLong(0).putLong(0);
    }
    header.putShort((short) PADDING_FIELD).putShort((short) (2 + padding));
    header.putShort((short) SafetensorsContent.ALIGNMENT);
    Content.Bytes.writeFully(out, header.rewind());

    var sums = new SummingChannel(out);
    content.writeTo(sums);
    long size = sums.written();
    if (!zip64 && size >= BEYOND_32) {
      throw new CremaException(
          entryName + " was to have " + content.size() + " bytes, but its content has " + size);
    }
    int crc32 = (int) sums.crc32();
    long end = out.position();
    out.position(offset + 14);
    ByteBuffer known = littleEndian(12).putInt(crc32);
    known.putInt(zip64 ? -1 : (int) size).putInt(zip64 ? -1 : (int) size);
    Content.Bytes.writeFully(out, known.flip());
    if (zip64) {
      out.position(offset + 30 + name.length + 4);
      Content.Bytes.writeFully(out, littleEndian(16).putLong(size).putLong(size).flip());
    }
    out.position(end);
    entries.add(new Entry(name, offset, size, crc32));
    return sums.sha256();
  }

  /** Writes the directory; nothing may be added after it. */
  void finish() throws IOException {
    long start = out.position();
    for (Entry e : entries) {
      boolean zip64 = e.is64();
      ByteBuffer b = littleEndian(46 + e.name.length + (zip64 ? 28 : 0));
      b.putInt(CENTRAL).putShort((short) (zip64 ? 45 : 20));
      version(b, zip64);
      b.putInt(e.crc32).putInt(zip64 ? -1 : (int) e.size).putInt(zip64 ? -1 : (int) e.size);
      b.putShort((short) e.name.length).putShort((short) (zip64 ? 28 : 0)).putShort((short) 0);
      b.putShort((short) 0).putShort((short) 0).putInt(0).putInt(zip64 ? -1 : (int) e.offset);
      b.put(e.name);
      if (zip64) {
        b.putShort((short) ZIP64_FIELD).putShort((short) 24);
        b.putLong(e.size).putLong(e.size).putLong(e.offset);
      }
      Content.Bytes.writeFully(out, b.flip());
    }
    long end = out.position();
    long size = end - start;
    boolean zip64 = start >= BEYOND_32;
    ByteBuffer b = littleEndian(56 + 20 + 22);
    short count = (short) entries.size();
    if (zip64) {
      b.putInt(END64).putLong(44).putShort((short) 45).putShort((short) 45).putInt(0).putInt(0);
      b.putLong(entries.size()).putLong(entries.size()).putLong(size).putLong(start);
      b.putInt(LOCATOR64).putInt(0).putLong(end).putInt(1);
    }
    b.putInt(END).putInt(0).putShort(count).putShort(count);
    b.putInt((int) size).putInt(zip64 ? -1 : (int) start).putShort((short) 0);
    Content.Bytes.writeFully(out, b.flip());
  }

  /** Version needed, flags, method, time, date. */
  private static void version(ByteBuffer b, boolean zip64) {
    b.putShort((short) (zip64 ? 45 : 20)).putShort((short) UTF8_FLAG).putShort((short) 0);
    b.putShort((short) 0).putShort((short) DATE_1980);
  }

  private static ByteBuffer littleEndian(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
