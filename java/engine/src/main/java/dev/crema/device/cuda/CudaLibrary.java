package dev.crema.device.cuda;

import dev.crema.CremaException;
import dev.crema.device.cuda.calls.CudaLibraries;
import java.util.List;
import java.util.function.Supplier;

/**
 * One of NVIDIA's libraries, or its driver.
 *
 * @param version null if it cannot be used
 * @param reason why it cannot be used; null if it can
 */
public record CudaLibrary(String name, String version, String reason) {
  static List<CudaLibrary> all(CudaLibraries libraries) {
    return List.of(
        of("driver", () -> CardMonitor.driver(libraries)),
        of("cuBLASLt", () -> version(libraries.blas().cublasLtGetVersion())),
        of("cuDNN", () -> DnnVersion.require(libraries.dnn())),
        of("NVRTC", () -> compiler(libraries)));
  }

  private static CudaLibrary of(String name, Supplier<String> version) {
    try {
      return new CudaLibrary(name, version.get(), null);
    } catch (CremaException e) {
      return new CudaLibrary(name, null, e.getMessage());
    }
  }

  /** Both give 10000 · major + 100 · minor + patch. */
  static String version(long number) {
    return number / 10000 + "." + number / 100 % 100 + "." + number % 100;
  }

  private static String compiler(CudaLibraries libraries) {
    int[] major = new int[1];
    int[] minor = new int[1];
    int status = libraries.compiler().nvrtcVersion(major, minor);
    if (status != 0) {
      throw new CremaException("nvrtcVersion gave " + libraries.compiler().errorText(status));
    }
    return major[0] + "." + minor[0];
  }
}
