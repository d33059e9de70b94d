package dev.crema.nn;

import dev.crema.device.Device;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.pass.NonZeros;
import dev.crema.plan.SparseTrial;
import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which kernels of a model are mostly zero. They are counted again when the parameters have
 * changed. Thread-safe.
 */
final class SparseKernels {
  private static final Logger LOG = LoggerFactory.getLogger(SparseKernels.class);
  private static final int SAMPLED = 4096; // weights that show that a kernel is dense

  private final Model model;
  private Map<String, NonZeros> nonZeros = Map.of();
  private volatile long version = -1; // of the parameters that were counted
  private volatile Map<String, SparseTrial.Pattern> patterns = Map.of();
  private String said; // of a device that multiplies zeros; null: nothing yet

  SparseKernels(Model model) {
    this.model = model;
  }

  /** What is not 0 of each kernel at least half of whose weights are, by its path. */
  synchronized Map<String, NonZeros> nonZeros() {
    long now = model.parameters().version();
    if (now < 0 || now != version) {
      Map<String, NonZeros> counted = new LinkedHashMap<>();
      Map<String, SparseTrial.Pattern> of = new LinkedHashMap<>();
      for (Parameter p : model.table().all()) {
        if (!p.isTrained() || !isKernel(p.type()) || looksDense(p)) {
          continue;
        }
        NonZeros count = count(p);
        if (count.weights() <= p.elements() / 2) {
          counted.put(p.path(), count);
          of.put(p.path(), SparseTrial.Pattern.of(count, p.elements()));
        }
      }
      nonZeros = Map.copyOf(counted);
      patterns = Map.copyOf(of);
      version = now;
    }
    return nonZeros;
  }

  /** Where weights are not 0, as coarse as it decides how plans multiply. */
  Map<String, SparseTrial.Pattern> patterns() {
    nonZeros();
    return patterns;
  }

  /** Whether plans made for those patterns would be made otherwise now. */
  boolean differFrom(Map<String, SparseTrial.Pattern> then) {
    long now = model.parameters().version();
    if (now < 0) {
      return false; // someone is changing them
    }
    return !(now == version ? patterns : patterns()).equals(then);
  }

  /** What is to be known where a device multiplies zeros as other weights; null: nothing. */
  String wholeOn(Device device) {
    Map<String, NonZeros> zeros = device.packsWeights() ? Map.of() : nonZeros();
    return zeros.isEmpty()
        ? null
        : device.name()
            + " multiplies kernels whole of which half or more is 0: "
            + String.join(", ", new TreeSet<>(zeros.keySet()))
            + ". 2:4 needs cuSPARSELt, which JavaCPP's CUDA presets do not have, and other sparse"
            + " products are the CPU's alone. Pruned channels and int8 save time on a card, too.";
  }

  /** Warns of that, unless it is what was said last. */
  synchronized void sayIfWholeOn(Device device) {
    String line = wholeOn(device);
    if (line != null && !line.equals(said)) {
      said = line;
      LOG.warn("{}", line);
    }
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

  private NonZeros count(Parameter p) {
    long units = p.type().dim(-1).constant();
    long[] weights = new long[1];
    long[] groups = new long[1];
    long[] last = {-1}; // the group that was counted last, of all rows'
    model.chunks(
        p,
        (from, bytes) -> {
          FloatBuffer floats = bytes.asFloatBuffer();
          for (int i = 0; i < floats.limit(); i++) {
            if (floats.get(i) == 0) {
              continue;
            }
            weights[0]++;
            long place = from / Float.BYTES + i;
            long first = place - place % units % NonZeros.GROUP;
            groups[0] += first == last[0] ? 0 : 1;
            last[0] = first;
          }
        });
    return new NonZeros(weights[0], groups[0]);
  }
}
