package dev.crema.natives;

import java.io.IOException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * OpenBLAS from the jar {@code org.bytedeco:openblas} of this platform, without its JNI part. Its
 * core (the set of kernels for a processor) is fixed while it loads; left alone it takes {@code
 * Haswell} on many processors with AVX-512 and loses half its speed, so Crema chooses. An {@code
 * OPENBLAS_CORETYPE} in the environment is replaced, with a line in the log when it differs; the
 * environment variable {@code CREMA_BLAS_CORE} (or the system property {@code crema.blas.core}) is
 * the way to choose another core.
 *
 * <p>Loading takes a quarter of a second: only when a plan needs it. Thread-safe.
 */
public final class OpenBlas {
  private static final int ERROR_BYTES = 512;
  private static String failure;

  private OpenBlas() {}

  /** Whether the class path has OpenBLAS for this platform. */
  public static boolean isPackaged() {
    return resource(mainFile()) != null;
  }

  /**
   * Loads it, once.
   *
   * @return the name of the core in use
   * @throws UnsatisfiedLinkError if it is not on the class path or does not load, each time with
   *     the same message: what was tried, why it failed and which setting changes it
   */
  public static synchronized String load() {
    NativeLibrary.CREMA.load();
    if (Crema.crema_blas_loaded() == 0) {
      if (failure == null) {
        try {
          extractAndOpen();
          return core();
        } catch (IOException | UnsatisfiedLinkError e) {
          failure = String.valueOf(e.getMessage());
        }
      }
      throw new UnsatisfiedLinkError(failure);
    }
    return core();
  }

  private static void extractAndOpen() throws IOException {
    List<PackagedFile> files = new ArrayList<>();
    StringBuilder key = new StringBuilder("openblas");
    for (String name : files()) {
      URL url = resource(name);
      if (url != null) {
        PackagedFile file = PackagedFile.of(name, url, null);
        files.add(file);
        key.append('-').append(Long.toHexString(file.size() ^ file.crc()));
      }
    }
    if (resource(mainFile()) == null) {
      throw new UnsatisfiedLinkError(
          "OpenBLAS for "
              + NativePlatform.CURRENT
              + " is not on the class path: add the dependency org.bytedeco:openblas with classifier "
              + NativePlatform.CURRENT);
    }
    String core = chosenCore();
    NativeCache.load(
        "OpenBLAS", key.toString(), files, CachePlace.all(), folder -> open(folder, core));
  }

  private static void open(Path folder, String core) {
    long error = Crema.crema_alloc(ERROR_BYTES);
    try {
      String path = folder.resolve(mainFile()).toString();
      if (Crema.crema_blas_open(path, core, error, ERROR_BYTES) != Crema.CREMA_OK) {
        throw new UnsatisfiedLinkError(text(Memory.view(error, ERROR_BYTES)));
      }
    } finally {
      Crema.crema_free(error, ERROR_BYTES);
    }
  }

  private static String text(ByteBuffer bytes) {
    int length = 0;
    while (length < ERROR_BYTES && bytes.get(length) != 0) {
      length++;
    }
    return StandardCharsets.UTF_8
        .decode(bytes.order(ByteOrder.nativeOrder()).slice(0, length))
        .toString();
  }

  /** For the instruction set in use; null where OpenBLAS's own choice is right. */
  private static String chosenCore() {
    String forced = NativeLibrary.setting("crema.blas.core", "CREMA_BLAS_CORE", null);
    String chosen =
        forced != null ? forced : coreFor(Crema.crema_isa_name(Crema.crema_isa_active()));
    String inherited = System.getenv("OPENBLAS_CORETYPE");
    if (chosen != null && inherited != null && !inherited.equalsIgnoreCase(chosen)) {
      System.getLogger(OpenBlas.class.getName())
          .log(
              System.Logger.Level.WARNING,
              "OPENBLAS_CORETYPE="
                  + inherited
                  + " is replaced by "
                  + chosen
                  + ", the core for this processor; CREMA_BLAS_CORE chooses another.");
    }
    return chosen;
  }

  /**
   * The core of OpenBLAS for an instruction set of {@code crema_isa_name}; null where OpenBLAS's
   * own choice is right.
   */
  public static String coreFor(String isa) {
    if (!NativePlatform.CURRENT.endsWith("-x86_64")) {
      return null;
    }
    if (isa.startsWith("avx512")) {
      return "SKYLAKEX"; // the fastest measured on Zen 5, where newer names exist too
    }
    return isa.equals("avx2") ? "Haswell" : "Prescott";
  }

  /** The library and what it needs beside it, in the jar's folder of this platform. */
  private static List<String> files() {
    if (NativePlatform.CURRENT.startsWith("macosx")) {
      return List.of(
          "libgcc_s.1.1.dylib", "libquadmath.0.dylib", "libgfortran.5.dylib", mainFile());
    }
    if (NativePlatform.CURRENT.startsWith("windows")) {
      return List.of(mainFile());
    }
    return List.of("libgcc_s.so.1", "libquadmath.so.0", "libgfortran.so.5", mainFile());
  }

  private static String mainFile() {
    if (NativePlatform.CURRENT.startsWith("macosx")) {
      return "libopenblas.0.dylib";
    }
    return NativePlatform.CURRENT.startsWith("windows") ? "libopenblas.dll" : "libopenblas.so.0";
  }

  private static URL resource(String name) {
    return OpenBlas.class
        .getClassLoader()
        .getResource("org/bytedeco/openblas/" + NativePlatform.CURRENT + "/" + name);
  }

  /** What OpenBLAS says its core is. */
  private static native String core();

  /** C[m, n] = A[m, k] B[k, n] by OpenBLAS; row-major, for checks. */
  static native void multiply(int m, int n, int k, long a, long b, long c);
}
