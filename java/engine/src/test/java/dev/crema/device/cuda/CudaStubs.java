package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Stand-ins for NVIDIA's libraries, built where there is a C++ compiler. */
final class CudaStubs {
  static final String DRIVER = "libcuda.so.1";

  private static final String NOTHING = "STUB_NOTHING";

  /** What the preset's libraries are linked to; the code of each group stands in one of them. */
  private static final String[][] LIBRARIES = {
    {DRIVER, "STUB_CUDA"},
    {"libcudart.so.13", NOTHING},
    {"libcublasLt.so.13", "STUB_CUBLASLT"},
    {"libcublas.so.13", NOTHING},
    {"libcudnn_graph.so.9", "STUB_CUDNN"},
    {"libcudnn_ops.so.9", NOTHING},
    {"libcudnn_cnn.so.9", NOTHING},
    {"libcudnn_adv.so.9", NOTHING},
    {"libcudnn.so.9", NOTHING},
    {"libnvrtc-builtins.so.13.2", NOTHING},
    {"libnvrtc.so.13", "STUB_NVRTC"},
    {"libnvidia-ml.so.1", "STUB_NVML"},
  };

  private static final Path SOURCE = Path.of("src/test/native/cuda_stub.cpp");
  private static final Path EMPTY = Path.of("/dev/null");

  private CudaStubs() {}

  /** Builds them all into a folder; without a compiler the test is skipped, saying so. */
  static void build(Path folder) throws IOException, InterruptedException {
    for (String[] library : LIBRARIES) {
      build(folder, library[0], library[1]);
    }
  }

  private static void build(Path folder, String name, String part)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of("g++", "-std=c++17", "-O1", "-shared", "-fPIC", "-fvisibility=hidden"));
    command.addAll(List.of("-D" + part, "-Wl,-soname," + name, "-o", folder.resolve(name) + ""));
    command.addAll(List.of("-x", "c++", (part.equals(NOTHING) ? EMPTY : SOURCE).toString()));
    command.addAll(List.of("-x", "none"));
    if (!part.equals("STUB_CUDA")) {
      command.add(folder.resolve(DRIVER).toString());
    }
    Process process;
    try {
      process = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      assumeThat(false).as("no C++ compiler here: " + e.getMessage()).isTrue();
      return;
    }
    String said = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor()).as(said).isZero();
  }
}
