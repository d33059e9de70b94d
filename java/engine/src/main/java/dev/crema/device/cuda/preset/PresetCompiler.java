package dev.crema.device.cuda.preset;

import dev.crema.device.cuda.calls.CompilerCalls;
import org.bytedeco.cuda.global.nvrtc;
import org.bytedeco.cuda.nvrtc._nvrtcProgram;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;

/** NVRTC. */
final class PresetCompiler implements CompilerCalls {
  @Override
  public int nvrtcVersion(int[] major, int[] minor) {
    return nvrtc.nvrtcVersion(major, minor);
  }

  @Override
  public int nvrtcCreateProgram(
      long[] program, String source, String name, String[] headers, String[] names) {
    _nvrtcProgram made = new _nvrtcProgram();
    try (BytePointer text = new BytePointer(source);
        BytePointer title = new BytePointer(name);
        PointerPointer<BytePointer> contents = new PointerPointer<>(headers);
        PointerPointer<BytePointer> called = new PointerPointer<>(names)) {
      int status = nvrtc.nvrtcCreateProgram(made, text, title, headers.length, contents, called);
      program[0] = made.address();
      return status;
    }
  }

  private static _nvrtcProgram program(long at) {
    return new _nvrtcProgram(new At(at));
  }

  @Override
  public int nvrtcCompileProgram(long program, String[] options) {
    try (PointerPointer<BytePointer> all = new PointerPointer<>(options)) {
      return nvrtc.nvrtcCompileProgram(program(program), options.length, all);
    }
  }

  @Override
  public int nvrtcDestroyProgram(long program) {
    return nvrtc.nvrtcDestroyProgram(program(program));
  }

  @Override
  public int nvrtcGetProgramLogSize(long program, long[] bytes) {
    try (SizeTPointer size = new SizeTPointer(1)) {
      int status = nvrtc.nvrtcGetProgramLogSize(program(program), size);
      bytes[0] = size.get();
      return status;
    }
  }

  @Override
  public int nvrtcGetProgramLog(long program, byte[] log) {
    return nvrtc.nvrtcGetProgramLog(program(program), log);
  }

  @Override
  public int nvrtcGetCUBINSize(long program, long[] bytes) {
    try (SizeTPointer size = new SizeTPointer(1)) {
      int status = nvrtc.nvrtcGetCUBINSize(program(program), size);
      bytes[0] = size.get();
      return status;
    }
  }

  @Override
  public int nvrtcGetCUBIN(long program, byte[] image) {
    return nvrtc.nvrtcGetCUBIN(program(program), image);
  }

  @Override
  public String errorText(int status) {
    return nvrtc.nvrtcGetErrorString(status).getString();
  }
}
