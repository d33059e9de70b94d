package dev.crema.device.cuda.calls;

/** What Crema uses of NVRTC, by the names of the C functions; as {@link DriverCalls}. */
public interface CompilerCalls {
  int nvrtcVersion(int[] major, int[] minor);

  /**
   * @param headers contents of the headers
   * @param names by which the source includes them
   */
  int nvrtcCreateProgram(
      long[] program, String source, String name, String[] headers, String[] names);

  int nvrtcCompileProgram(long program, String[] options);

  int nvrtcDestroyProgram(long program);

  int nvrtcGetProgramLogSize(long program, long[] bytes);

  int nvrtcGetProgramLog(long program, byte[] log);

  int nvrtcGetCUBINSize(long program, long[] bytes);

  int nvrtcGetCUBIN(long program, byte[] image);

  /** What a status means: {@code NVRTC_ERROR_COMPILATION}. */
  String errorText(int status);
}
