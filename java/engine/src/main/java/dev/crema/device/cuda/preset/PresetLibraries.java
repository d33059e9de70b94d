package dev.crema.device.cuda.preset;

import dev.crema.CremaException;
import dev.crema.device.cuda.calls.BlasCalls;
import dev.crema.device.cuda.calls.CompilerCalls;
import dev.crema.device.cuda.calls.CudaLibraries;
import dev.crema.device.cuda.calls.DnnCalls;
import dev.crema.device.cuda.calls.DriverCalls;
import dev.crema.device.cuda.calls.GraphCalls;
import dev.crema.device.cuda.calls.LibraryFiles;
import dev.crema.device.cuda.calls.MonitorCalls;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.cuda.global.cublas;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.cuda.global.cudnn;
import org.bytedeco.cuda.global.nvml;
import org.bytedeco.cuda.global.nvrtc;
import org.bytedeco.javacpp.Loader;

/**
 * NVIDIA's libraries, loaded from where they were found before the preset's own libraries that need
 * them: those then find them by name.
 */
public final class PresetLibraries implements CudaLibraries {
  private static final List<String> CUDART = List.of("libcuda.so.1", "libcudart.so.13");
  private static final List<String> CUBLAS = List.of("libcublasLt.so.13", "libcublas.so.13");
  private static final List<String> NVRTC = List.of("libnvrtc.so.13");
  private static final String NVRTC_BUILTINS = "libnvrtc-builtins.so.13";
  private static final List<String> NVML = List.of("libnvidia-ml.so.1");
  private static final List<String> CUDNN =
      List.of(
          "libcudnn_graph.so.9",
          "libcudnn_ops.so.9",
          "libcudnn_cnn.so.9",
          "libcudnn_adv.so.9",
          "libcudnn.so.9");

  private final LibraryFiles files;
  private final DriverCalls driver;
  private BlasCalls blas; // null until it is needed
  private DnnCalls dnn; // likewise
  private final GraphCalls graphs = new PresetGraph(); // of the same library
  private CompilerCalls compiler; // likewise
  private MonitorCalls monitor; // likewise

  /**
   * Loads the driver.
   *
   * @throws CremaException saying which library was not found where, or why it does not load
   */
  public PresetLibraries(LibraryFiles files) {
    this.files = files;
    load(CUDART, cudart.class);
    this.driver = new PresetDriver();
  }

  private void load(List<String> names, Class<?> preset) {
    load(List.of(), names, preset);
  }

  private void load(List<Path> before, List<String> names, Class<?> preset) {
    try {
      before.forEach(file -> System.load(file.toString()));
      for (String name : names) {
        Path file = files.require(name); // null: on the class path, where the preset finds it
        if (file != null) {
          System.load(file.toString());
        }
      }
      Loader.load(preset);
    } catch (LinkageError e) {
      throw new CremaException("CUDA does not load: " + e.getMessage(), e);
    }
  }

  @Override
  public DriverCalls driver() {
    return driver;
  }

  @Override
  public synchronized BlasCalls blas() {
    if (blas == null) {
      load(CUBLAS, cublas.class);
      blas = new PresetBlas();
    }
    return blas;
  }

  @Override
  public synchronized DnnCalls dnn() {
    if (dnn == null) {
      blas(); // which cuDNN looks for
      load(CUDNN, cudnn.class);
      dnn = new PresetDnn();
    }
    return dnn;
  }

  @Override
  public synchronized GraphCalls graphs() {
    dnn();
    return graphs;
  }

  @Override
  public synchronized CompilerCalls compiler() {
    if (compiler == null) {
      // NVRTC opens its builtins by their name alone, which the loader knows once they are loaded.
      load(files.beside(NVRTC.get(0), NVRTC_BUILTINS), NVRTC, nvrtc.class);
      compiler = new PresetCompiler();
    }
    return compiler;
  }

  @Override
  public synchronized MonitorCalls monitor() {
    if (monitor == null) {
      load(NVML, nvml.class);
      monitor = new PresetMonitor();
    }
    return monitor;
  }
}
