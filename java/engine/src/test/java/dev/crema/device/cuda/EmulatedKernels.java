package dev.crema.device.cuda;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * The CUDA kernels, run on the host by the emulation that the {@code kernels} module builds. Device
 * memory is native memory of the host.
 */
public final class EmulatedKernels {
  /** The property that names the library. */
  public static final String PROPERTY = "crema.emulation";

  private static final String MISSING = load();
  private static final Map<String, Signature> SIGNATURES = signatures();

  private EmulatedKernels() {}

  /** A kernel's parameters: a letter each as in emulation_jni.cpp, and their bytes. */
  public record Signature(String letters, int[] bytes) {}

  /** Why there is no emulation here; null if there is. */
  public static String missing() {
    return MISSING;
  }

  /** Every kernel of the library. */
  public static Map<String, Signature> kernels() {
    return SIGNATURES;
  }

  /**
   * Runs a kernel.
   *
   * @param arguments address of an array of addresses of its arguments
   * @param seed of the order of its threads and blocks
   * @return what is wrong; null if nothing
   */
  public static String launch(
      String kernel, int[] grid, int threads, int sharedBytes, long arguments, long seed) {
    return launch(kernel, grid[0], grid[1], grid[2], threads, sharedBytes, arguments, seed);
  }

  private static String load() {
    String path = System.getProperty(PROPERTY);
    if (path == null) {
      return "the emulation of the CUDA kernels is a part of Crema's build (property "
          + PROPERTY
          + ")";
    }
    if (!Files.exists(Path.of(path))) {
      return "no emulation of the CUDA kernels at " + path + " (property " + PROPERTY + ")";
    }
    System.load(Path.of(path).toAbsolutePath().toString());
    return null;
  }

  private static Map<String, Signature> signatures() {
    Map<String, Signature> all = new HashMap<>();
    for (int i = 0; MISSING == null; i++) {
      String line = describe(i);
      if (line == null) {
        break;
      }
      String[] words = line.split(" ", -1);
      int[] bytes = new int[words.length - 2];
      for (int k = 0; k < bytes.length; k++) {
        bytes[k] = Integer.parseInt(words[k + 2]);
      }
      all.put(words[0], new Signature(words[1], bytes));
    }
    return Map.copyOf(all);
  }

  private static native String launch(
      String kernel,
      int gridX,
      int gridY,
      int gridZ,
      int threads,
      int sharedBytes,
      long arguments,
      long seed);

  private static native String describe(int i);
}
