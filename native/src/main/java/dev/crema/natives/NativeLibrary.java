package dev.crema.natives;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.bytedeco.javacpp.Loader;

/** A shared library that is packed into a jar. */
public final class NativeLibrary {
  /** Our own library, with JavaCPP's glue inside. */
  public static final NativeLibrary CREMA =
      new NativeLibrary("META-INF/crema/" + Loader.getPlatform() + "/" + fileName("jnicrema"));

  private final String resource;

  private NativeLibrary(String resource) {
    this.resource = resource;
  }

  private static String fileName(String name) {
    return System.mapLibraryName(name);
  }

  /** Whether the class path has this library for this platform. */
  public boolean isPackaged() {
    return NativeLibrary.class.getClassLoader().getResource(resource) != null;
  }

  /** Loads it so that JavaCPP's loader finds it loaded under that name. */
  public void load(String name) {
    Path file = extract();
    try {
      Loader.loadLibrary(NativeLibrary.class, new URL[] {file.toUri().toURL()}, name);
    } catch (IOException e) {
      throw new UnsatisfiedLinkError("Cannot load " + file + ": " + e);
    }
  }

  private Path extract() {
    try (InputStream in = NativeLibrary.class.getClassLoader().getResourceAsStream(resource)) {
      Path directory = Files.createTempDirectory("crema");
      Path file = directory.resolve(Path.of(resource).getFileName());
      Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
      return file;
    } catch (IOException e) {
      throw new UnsatisfiedLinkError("Cannot extract " + resource + ": " + e);
    }
  }
}
