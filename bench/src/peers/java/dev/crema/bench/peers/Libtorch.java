package dev.crema.bench.peers;

import static org.bytedeco.pytorch.global.torch.set_num_threads;

import dev.crema.bench.Engine;
import dev.crema.bench.Problem;
import dev.crema.bench.Task;
import dev.crema.natives.Crema;
import dev.crema.natives.OpenBlas;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * libtorch through the JavaCPP preset, set up as an expert would: OpenBLAS's core for this
 * processor, glibc told to keep its pages, tensors made once. Its Adam is that of torch::optim: the
 * preset doesn't bind the fused one.
 */
public class Libtorch implements Engine {
  /** glibc gives big blocks back to the system, and page faults then double a step's time. */
  private static final Map<String, String> KEEP_PAGES =
      Map.of(
          "GLIBC_TUNABLES",
          "glibc.malloc.trim_threshold=17179869184:glibc.malloc.mmap_max=0"
              + ":glibc.malloc.arena_max=1");

  private final boolean tuned;

  public Libtorch() {
    this(true);
  }

  Libtorch(boolean tuned) {
    this.tuned = tuned;
  }

  @Override
  public String name() {
    return "libtorch";
  }

  @Override
  public String version() {
    return "libtorch 2.10.0 ("
        + (tuned ? "OPENBLAS_CORETYPE and malloc tuned" : "as it loads")
        + ", torch::optim::Adam)";
  }

  @Override
  public Map<String, String> environment() {
    if (!tuned) {
      return Map.of("OPENBLAS_CORETYPE", "");
    }
    Map<String, String> variables = new LinkedHashMap<>(KEEP_PAGES);
    String core = OpenBlas.coreFor(Crema.crema_isa_name(Crema.crema_isa_active()));
    if (core != null) {
      variables.put("OPENBLAS_CORETYPE", core);
    }
    return variables;
  }

  @Override
  public boolean supports(Problem problem) {
    return !(problem instanceof Problem.Kernel);
  }

  @Override
  public Task prepare(Problem problem, int threads) {
    set_num_threads(threads);
    if (problem instanceof Problem.Training p) {
      return new LibtorchTraining(p);
    }
    if (problem instanceof Problem.Prediction p) {
      return new LibtorchPrediction(p);
    }
    return LibtorchOps.prepare(problem);
  }
}
