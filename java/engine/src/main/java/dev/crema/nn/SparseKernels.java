package dev.crema.nn;

import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.plan.SparseTrial;
import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Which kernels of a model are mostly zero. They are counted again when the parameters have
 * changed. Thread-safe.
 */
final class SparseKernels {
  private static final int SAMPLED = 4096; // weights that show that a kernel is dense

  private final Model model;
  private Map<String, Long> nonZeros = Map.of();
  private volatile long version = -1; // of the parameters that were counted
  private volatile Map<String, Integer> shares = Map.of();

  SparseKernels(Model model) {
    this.model = model;
  }

  /** Weights that are not 0 of each kernel at least half of whose weights are, by its path. */
  synchronized Map<String, Long> nonZeros() {
    long now = model.parameters().version();
    if (now < 0 || now != version) {
      Map<String, Long> counted = new LinkedHashMap<>();
      Map<String, Integer> of = new LinkedHashMap<>();
      for (Parameter p : model.table().all()) {
        long count =
            p.isTrained() && isKernel(p.type()) && !looksDense(p) ? count(p) : Long.MAX_VALUE;
        if (count <= p.elements() / 2) {
          counted.put(p.path(), count);
          of.put(p.path(), SparseTrial.share(count, p.elements()));
        }
      }
      nonZeros = Map.copyOf(counted);
      shares = Map.copyOf(of);
      version = now;
    }
    return nonZeros;
  }

  /** The share of weights that are not 0, as coarse as it decides how plans multiply. */
  Map<String, Integer> shares() {
    nonZeros();
    return shares;
  }

  /** Whether plans made for those shares would be made otherwise now. */
  boolean differFrom(Map<String, Integer> then) {
    long now = model.parameters().version();
    if (now < 0) {
      return false; // someone is changing them
    }
    return !(now == version ? shares : shares()).equals(then);
  }

  private static boolean isKernel(TensorType type) {
    return type.rank() == 2 || type.rank() == 4 && type.elements(0, 2).constant() == 1;
  }

  private boolean looksDense(Parameter p) {
    long step = Math.max(1, p.elements() / SAMPLED);
    long sampled = 0;
    long zeros = 0;
    Buffer memory = model.parameters().retain();
    try {
      for (long i = 0; i < p.elements(); i += step) {
        sampled++;
        zeros += memory.borrow(4 * (p.offset() + i), Float.BYTES).getFloat(0) == 0 ? 1 : 0;
      }
    } finally {
      memory.release();
    }
    return 4 * zeros < sampled;
  }

  private long count(Parameter p) {
    long[] count = new long[1];
    model.chunks(
        p,
        (from, bytes) -> {
          FloatBuffer floats = bytes.asFloatBuffer();
          for (int i = 0; i < floats.limit(); i++) {
            count[0] += floats.get(i) == 0 ? 0 : 1;
          }
        });
    return count[0];
  }
}
