package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.CompilerCalls;
import java.nio.charset.StandardCharsets;

/** NVRTC of a {@link FakeCard}: the code is some text. */
final class FakeCompiler implements CompilerCalls {
  static final byte[] CODE = "code".getBytes(StandardCharsets.UTF_8);
  private static final byte[] LOG = "line 7: no such thing\0".getBytes(StandardCharsets.UTF_8);

  private final FakeCard card;
  int compileStatus;
  int minor = 1;
  String[] headers;

  FakeCompiler(FakeCard card) {
    this.card = card;
  }

  @Override
  public int nvrtcVersion(int[] majorVersion, int[] minorVersion) {
    majorVersion[0] = 13;
    minorVersion[0] = minor;
    return card.call("nvrtcVersion");
  }

  @Override
  public int nvrtcCreateProgram(
      long[] program, String source, String name, String[] contents, String[] names) {
    int status = card.call("nvrtcCreateProgram " + name);
    headers = names.clone();
    if (status == 0) {
      program[0] = card.make("program");
    }
    return status;
  }

  @Override
  public int nvrtcCompileProgram(long program, String[] options) {
    int status = card.call("nvrtcCompileProgram " + String.join(" ", options));
    return status == 0 ? compileStatus : status;
  }

  @Override
  public int nvrtcDestroyProgram(long program) {
    card.giveBack("program", program);
    return card.call("nvrtcDestroyProgram");
  }

  @Override
  public int nvrtcGetProgramLogSize(long program, long[] bytes) {
    bytes[0] = LOG.length;
    return card.call("nvrtcGetProgramLogSize");
  }

  @Override
  public int nvrtcGetProgramLog(long program, byte[] log) {
    System.arraycopy(LOG, 0, log, 0, LOG.length);
    return card.call("nvrtcGetProgramLog");
  }

  @Override
  public int nvrtcGetCUBINSize(long program, long[] bytes) {
    bytes[0] = CODE.length;
    return card.call("nvrtcGetCUBINSize");
  }

  @Override
  public int nvrtcGetCUBIN(long program, byte[] image) {
    System.arraycopy(CODE, 0, image, 0, CODE.length);
    return card.call("nvrtcGetCUBIN");
  }

  @Override
  public String errorText(int status) {
    return "NVRTC_ERROR_" + status;
  }
}
