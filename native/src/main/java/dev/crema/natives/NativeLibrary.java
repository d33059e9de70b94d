package dev.crema.natives;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Crema's own shared library, packed into the jar for one or more platforms. Nothing is ever
 * downloaded. Settings, a system property before its environment variable: {@code
 * crema.cache}/{@code CREMA_CACHE} (folder for the extracted library), {@code crema.isa}/{@code
 * CREMA_ISA} (a lower instruction set than the best), {@code crema.threads}/{@code CREMA_THREADS}
 * (threads of the pool; default: the processors that this JVM may use).
 */
public final class NativeLibrary {
  /** The one that {@code Crema} binds. */
  public static final NativeLibrary CREMA = new NativeLibrary("jnicrema");

  private static final int MOST_THREADS = 1024;

  private final String stem;
  private volatile boolean loaded;
  private String failure;

  private NativeLibrary(String stem) {
    this.stem = stem;
  }

  /** Whether the class path has this library for this platform. */
  public boolean isPackaged() {
    return resource("") != null;
  }

  /**
   * Extracts the library if need be, loads it and applies the settings; does nothing from the
   * second time on. Thread-safe.
   *
   * @throws UnsatisfiedLinkError if that fails, each time with the same message: what was tried,
   *     why it failed and which setting changes it
   */
  public void load() {
    if (!loaded) {
      loadOnce();
    }
  }

  private synchronized void loadOnce() {
    if (loaded) {
      return;
    }
    if (failure == null) {
      try {
        extractAndLoad();
        configure();
        loaded = true;
        return;
      } catch (IOException | UnsatisfiedLinkError e) {
        failure = String.valueOf(e.getMessage());
      }
    }
    throw new UnsatisfiedLinkError(failure);
  }

  private void extractAndLoad() throws IOException {
    URL library = resource("");
    URL sum = resource(".sha256");
    if (library == null || sum == null) {
      throw new UnsatisfiedLinkError(missing());
    }
    String name = System.mapLibraryName(stem);
    String sha256;
    try (InputStream in = sum.openStream()) {
      sha256 = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1).trim();
    }
    NativeCache.load(
        "Crema's native library",
        stem + "-" + sha256.substring(0, 24),
        List.of(PackagedFile.of(name, library, sha256)),
        CachePlace.all(),
        folder -> System.load(folder.resolve(name).toString()));
  }

  private String missing() {
    List<String> packaged = NativePlatform.packaged(loader(), stem);
    return "Crema's native library for "
        + NativePlatform.CURRENT
        + " is not on the class path; "
        + (packaged.isEmpty() ? "there is none for any platform" : "there is one for " + packaged)
        + ". Build Crema on this platform, with cmake and a C++ compiler installed: mvn -B package";
  }

  private static void configure() {
    String isa = setting("crema.isa", "CREMA_ISA", null);
    String supported = forceIsa(isa);
    if (supported != null) {
      throw new UnsatisfiedLinkError(
          "CREMA_ISA (or the system property crema.isa) is \""
              + isa
              + "\", which this processor or this build does not have. It has: "
              + supported
              + ". Unset it to use the last of these.");
    }
    String threads = setting("crema.threads", "CREMA_THREADS", null);
    int count = Runtime.getRuntime().availableProcessors();
    if (threads != null) {
      try {
        count = Integer.parseInt(threads.trim());
      } catch (NumberFormatException e) {
        count = 0;
      }
      if (count < 1 || count > MOST_THREADS) {
        throw new UnsatisfiedLinkError(
            "CREMA_THREADS (or the system property crema.threads) is \""
                + threads
                + "\": expected a number of threads from 1 to "
                + MOST_THREADS
                + ". Unset it to use every processor this JVM may use.");
      }
    }
    setThreads(Math.min(count, MOST_THREADS));
  }

  static String setting(String property, String variable, String otherwise) {
    String value = System.getProperty(property);
    if (value == null || value.isEmpty()) {
      value = System.getenv(variable);
    }
    return value == null || value.isEmpty() ? otherwise : value;
  }

  private URL resource(String suffix) {
    return loader()
        .getResource(
            "META-INF/crema/"
                + NativePlatform.CURRENT
                + "/"
                + System.mapLibraryName(stem)
                + suffix);
  }

  private static ClassLoader loader() {
    return NativeLibrary.class.getClassLoader();
  }

  // Not in `Crema`: its initialiser waits for this class's lock while another thread may hold it.

  /** Null if done or if the name is null, else the names there are, best last. */
  private static native String forceIsa(String name);

  private static native void setThreads(int threads);
}
