package dev.crema.data;

import dev.crema.CremaException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** A NPZ file: a zip of NPY arrays, stored or deflated. Not thread-safe. */
public final class Npz implements AutoCloseable {
  private static final String END = ".npy";

  private final Path file;
  private final ZipFile zip;

  private Npz(Path file, ZipFile zip) {
    this.file = file;
    this.zip = zip;
  }

  /**
   * Opens a file; the caller closes it.
   *
   * @throws CremaException if it isn't a readable zip
   */
  public static Npz open(Path file) {
    try {
      return new Npz(file, new ZipFile(file.toFile()));
    } catch (IOException e) {
      throw InputFiles.unreadable(file.toString(), e);
    } catch (IllegalArgumentException e) {
      throw new CremaException("Can't read " + file + ": a name in the zip is no UTF-8", e);
    }
  }

  /** Names of the arrays, without ".npy". */
  public List<String> names() {
    return zip.stream()
        .map(ZipEntry::getName)
        .filter(name -> name.endsWith(END))
        .map(name -> name.substring(0, name.length() - END.length()))
        .toList();
  }

  /**
   * Reads one array.
   *
   * @throws CremaException if there is none of that name, or it can't be read
   */
  public NpyArray array(String name) {
    String label = file + " (" + name + ")";
    ZipEntry entry = zip.getEntry(name + END);
    if (entry == null) {
      throw new CremaException(file + " has no array " + name + "; it has " + names());
    }
    try (BufferedInputStream in = new BufferedInputStream(zip.getInputStream(entry))) {
      return Npy.read(new InputFiles.Input(in, entry.getSize(), false, label));
    } catch (IOException e) {
      throw InputFiles.unreadable(label, e);
    } catch (IllegalArgumentException e) {
      throw new CremaException("Can't read " + label + ": the zip is damaged", e);
    }
  }

  @Override
  public void close() {
    try {
      zip.close();
    } catch (IOException e) {
      throw InputFiles.unreadable(file.toString(), e);
    }
  }
}
