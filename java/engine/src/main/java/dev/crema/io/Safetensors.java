package dev.crema.io;

import dev.crema.CremaException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * An open safetensors file: eight bytes of header length, a JSON header, then the tensors' bytes
 * end to end, little-endian and row-major (the public format of Hugging Face, 2022). Opening reads
 * the header and checks all of it; tensors are read when asked for. Stays readable when the file is
 * replaced by {@link #write}; a file that is overwritten in place by something else must not be
 * viewed. Thread-safe, except that interrupting a reading thread closes the file, as with any
 * {@link java.nio.channels.FileChannel}.
 */
public final class Safetensors implements AutoCloseable {
  private final String where;
  private final FileRange file;
  private final FileRange data;
  private final boolean owner;
  private final Map<String, TensorInfo> tensors;
  private final Map<String, String> metadata;

  private Safetensors(FileRange file, String where, boolean owner) throws IOException {
    this.where = where;
    this.file = file;
    this.owner = owner;
    SafetensorsHeader.Parsed header = SafetensorsHeader.read(file, where);
    this.tensors = header.tensors();
    this.metadata = header.metadata();
    this.data = file.slice(header.dataStart(), file.size() - header.dataStart());
  }

  /**
   * Opens a file; the caller closes it.
   *
   * @throws CremaException naming the file and, for a fault in the header, line and column
   */
  public static Safetensors open(Path file) {
    FileRange range = null;
    try {
      range = FileRange.open(file);
      var opened = new Safetensors(range, file.toString(), true);
      range = null;
      return opened;
    } catch (IOException e) {
      throw FileErrors.cannotRead(file, e);
    } finally {
      closeQuietly(range);
    }
  }

  /** Opens a stretch of a file that its owner closes. */
  static Safetensors of(FileRange range, String where) {
    try {
      return new Safetensors(range, where, false);
    } catch (IOException e) {
      throw new CremaException("Cannot read " + where + ": " + FileErrors.reason(e), e);
    }
  }

  /**
   * Writes a file atomically (see {@link AtomicFiles#write}). The same tensors in the same order
   * give the same bytes. In the file they stand by falling element size, otherwise in the order
   * given; data begins at a multiple of 64 bytes, so every tensor lies on a multiple of its element
   * size, and tensors of one type lie end to end as given.
   *
   * @param metadata written sorted by key
   * @throws CremaException if a name is used twice or cannot be written, if a content has another
   *     length than its shape, or if the file system refuses
   */
  public static void write(Path file, List<NamedTensor> tensors, Map<String, String> metadata) {
    AtomicFiles.write(file, content(tensors, metadata));
  }

  /** The bytes that {@link #write} writes; the tensors' contents are read when it is written. */
  public static Content content(List<NamedTensor> tensors, Map<String, String> metadata) {
    return new SafetensorsContent(tensors, metadata);
  }

  /** All tensors by name, in the order of their data. Immutable. */
  public Map<String, TensorInfo> tensors() {
    return tensors;
  }

  /** The texts under {@code __metadata__}. Immutable. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /**
   * One tensor's entry.
   *
   * @throws CremaException if there is none of that name
   */
  public TensorInfo tensor(String name) {
    TensorInfo tensor = tensors.get(name);
    if (tensor == null) {
      throw new CremaException(
          where
              + " has no tensor '"
              + SafetensorsHeader.shown(name)
              + "'. It has "
              + tensors.size()
              + ": "
              + SafetensorsHeader.shown(String.join(", ", tensors.keySet())));
    }
    return tensor;
  }

  /**
   * Reads a whole tensor into {@code dst}, whose remaining bytes must be exactly as many. After an
   * exception the content of {@code dst} is undefined and its position as before.
   *
   * @throws CremaException if the tensor is unknown, its type is not supported, the size differs or
   *     the file cannot be read
   */
  public void read(String name, ByteBuffer dst) {
    TensorInfo tensor = supported(name);
    if (dst.remaining() != tensor.byteSize()) {
      throw new CremaException(
          where
              + ": tensor '"
              + name
              + "' has "
              + tensor.byteSize()
              + " bytes; the buffer to read it into has room for "
              + dst.remaining());
    }
    read(name, 0, dst);
  }

  /**
   * Reads part of a tensor: as many bytes as remain in {@code dst}. For tensors beyond 2 GB, which
   * no {@link ByteBuffer} holds.
   *
   * @param from first byte to read, counted from the tensor's first
   * @throws CremaException as {@link #read(String, ByteBuffer)}, or if the part is not in the
   *     tensor
   */
  public void read(String name, long from, ByteBuffer dst) {
    TensorInfo tensor = supported(name);
    if (from < 0 || from > tensor.byteSize() - dst.remaining()) {
      throw new CremaException(
          where
              + ": tensor '"
              + name
              + "' has "
              + tensor.byteSize()
              + " bytes; asked for "
              + dst.remaining()
              + " from byte "
              + from);
    }
    try {
      data.read(tensor.offset() + from, dst);
    } catch (IOException e) {
      throw new CremaException(
          "Cannot read tensor '" + name + "' of " + where + ": " + FileErrors.reason(e), e);
    }
  }

  /**
   * A read-only little-endian mapping of a tensor: no copy, pages come from the file as they are
   * touched. It stays valid after {@link #close} until the buffer is garbage. It lies on a multiple
   * of its element size if the file was written by {@link #write}; files made elsewhere may not
   * keep that.
   *
   * @throws CremaException as {@link #read(String, ByteBuffer)}, or if the tensor has 2 GB or more
   */
  public ByteBuffer view(String name) {
    TensorInfo tensor = supported(name);
    if (tensor.byteSize() > Integer.MAX_VALUE) {
      throw new CremaException(
          where
              + ": tensor '"
              + name
              + "' has "
              + tensor.byteSize()
              + " bytes, too many for one view; read it in parts with read(name, from, buffer)");
    }
    try {
      return data.map(tensor.offset(), (int) tensor.byteSize());
    } catch (IOException e) {
      throw new CremaException(
          "Cannot map tensor '" + name + "' of " + where + ": " + FileErrors.reason(e), e);
    }
  }

  /** Closes the file; a second time does nothing. One that an archive opened stays open with it. */
  @Override
  public void close() {
    if (owner) {
      closeQuietly(file);
    }
  }

  private TensorInfo supported(String name) {
    TensorInfo tensor = tensor(name);
    tensor.type();
    return tensor;
  }

  private static void closeQuietly(FileRange range) {
    if (range != null) {
      try {
        range.close();
      } catch (IOException e) {
        return; // a file that was only read has nothing to lose
      }
    }
  }
}
