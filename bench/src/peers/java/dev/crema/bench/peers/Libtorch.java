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
 * processor, glibc told to keep its pages, tensors made once, the fused Adam, for each work the
 * layout of images in which it is faster.
 */
public class Libtorch implements Engine {
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
        + ", fused Adam)";
  }

  @Override
  public Map<String, String> environment() {
    if (!tuned) {
      return Map.of("OPENBLAS_CORETYPE", "");
    }
    Map<String, String> variables = new LinkedHashMap<>(Malloc.KEEP_PAGES);
    String core = OpenBlas.coreFor(Crema.crema_isa_name(Crema.crema_isa_active()));
    if (core != null) {
      variables.put("OPENBLAS_CORETYPE", core);
    }
    return variables;
  }

  @Override
  public boolean supports(Problem problem) {
    return problem instanceof Problem.Training
        || problem instanceof Problem.Prediction p && p.network().isSequence()
        || problem instanceof Problem.Start
        || LibtorchOps.has(problem);
  }

  @Override
  public Task prepare(Problem problem, int threads) {
    set_num_threads(threads);
    if (problem instanceof Problem.Training p) {
      return new LibtorchTraining(p, true);
    }
    if (problem instanceof Problem.Prediction p) {
      return new LibtorchPrediction(p);
    }
    return LibtorchOps.prepare(problem);
  }
}
