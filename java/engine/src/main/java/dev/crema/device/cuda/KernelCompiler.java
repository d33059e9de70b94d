package dev.crema.device.cuda;

import dev.crema.CremaException;
import dev.crema.device.cuda.calls.CompilerCalls;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Compiles kernels for one architecture by NVRTC, each once: the result is kept on disk. */
final class KernelCompiler {
  private final CompilerCalls calls;
  private final KernelCache cache;
  private final List<String> options;
  private final String version;

  /**
   * @param capability 10 · major + minor
   */
  KernelCompiler(CompilerCalls calls, KernelCache cache, int capability) {
    this.calls = calls;
    this.cache = cache;
    // No fast math: results are those of IEEE 754, NaN and infinity included. Generic lambdas carry
    // no
    // __device__: NVRTC, unlike nvcc, takes them for the host's unless it is told.
    this.options =
        List.of(
            "--gpu-architecture=sm_" + capability,
            "--std=c++17",
            "--device-as-default-execution-space");
    int[] major = new int[1];
    int[] minor = new int[1];
    check(calls.nvrtcVersion(major, minor), "nvrtcVersion");
    this.version = major[0] + "." + minor[0];
  }

  String version() {
    return version;
  }

  /** The machine code of a family. */
  byte[] compile(KernelSource source) {
    String key = KernelCache.key(source, options, version);
    byte[] known = cache.get(source.family(), key);
    if (known != null) {
      return known;
    }
    byte[] image = compileNow(source);
    cache.put(source.family(), key, image);
    return image;
  }

  private byte[] compileNow(KernelSource source) {
    String[] names = source.headers().keySet().toArray(new String[0]);
    String[] headers = source.headers().values().toArray(new String[0]);
    long[] program = new long[1];
    check(
        calls.nvrtcCreateProgram(program, source.source(), source.family() + ".cu", headers, names),
        "nvrtcCreateProgram");
    try {
      int status = calls.nvrtcCompileProgram(program[0], options.toArray(new String[0]));
      if (status != 0) {
        throw new CudaException(
            "nvrtcCompileProgram",
            status,
            "NVRTC "
                + version
                + " does not compile "
                + source.family()
                + ".cu with "
                + options
                + " ("
                + calls.errorText(status)
                + "): "
                + log(program[0]));
      }
      long[] size = new long[1];
      check(calls.nvrtcGetCUBINSize(program[0], size), "nvrtcGetCUBINSize");
      if (size[0] == 0) {
        throw new CremaException("NVRTC made no code of " + source.family() + ".cu");
      }
      byte[] image = new byte[Math.toIntExact(size[0])];
      check(calls.nvrtcGetCUBIN(program[0], image), "nvrtcGetCUBIN");
      return image;
    } finally {
      calls.nvrtcDestroyProgram(program[0]);
    }
  }

  private String log(long program) {
    long[] size = new long[1];
    if (calls.nvrtcGetProgramLogSize(program, size) != 0 || size[0] <= 1) {
      return "no log";
    }
    byte[] text = new byte[Math.toIntExact(size[0])];
    return calls.nvrtcGetProgramLog(program, text) == 0
        ? new String(text, 0, text.length - 1, StandardCharsets.UTF_8)
        : "no log";
  }

  private void check(int status, String call) {
    if (status != 0) {
      throw new CudaException(call, status, call + " gave " + calls.errorText(status));
    }
  }
}
