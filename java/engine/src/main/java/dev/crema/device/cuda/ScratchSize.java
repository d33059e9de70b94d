package dev.crema.device.cuda;

import dev.crema.device.cuda.kernel.Arguments;
import dev.crema.device.cuda.kernel.Convolution;
import dev.crema.device.cuda.kernel.Launches;
import dev.crema.device.cuda.kernel.OperationGraph;
import dev.crema.device.cuda.kernel.Product;
import dev.crema.device.cuda.kernel.Recurrence;
import dev.crema.device.cuda.kernel.RecurrentLayer;
import dev.crema.device.cuda.kernel.Ways;
import java.util.Optional;

/**
 * Finds how much scratch memory instructions need, and makes ready what they use: kernels are
 * loaded or compiled, algorithms chosen. Queues nothing.
 */
final class ScratchSize implements Launches {
  private static final long ALIGNMENT = 256;

  private final CudaDevice device;
  private final boolean tf32;
  private long taken;
  private long most;
  private String kind; // of the way that this instruction takes; null: there is one

  /**
   * @param tf32 whether float32 factors may be rounded to TF32
   */
  ScratchSize(CudaDevice device, boolean tf32) {
    this.device = device;
    this.tf32 = tf32;
  }

  static long rounded(long bytes) {
    return Math.multiplyExact((Math.max(1, bytes) + ALIGNMENT - 1) / ALIGNMENT, ALIGNMENT);
  }

  /** Before each instruction. */
  void begin() {
    taken = 0;
    kind = null;
  }

  /** Which of several ways the instruction takes; null if it has one only. */
  String kind() {
    return kind;
  }

  /** Bytes for the instruction that needs most. */
  long most() {
    return most;
  }

  @Override
  public void launch(
      String family,
      String function,
      long gridX,
      int gridY,
      int gridZ,
      int blockX,
      int blockY,
      int blockZ,
      int sharedBytes,
      Arguments arguments) {
    device.modules().function(family, function);
  }

  @Override
  public long scratch(long bytes) {
    taken += rounded(bytes);
    most = Math.max(most, taken);
    return 0;
  }

  @Override
  public void fill(long address, int value, long bytes) {}

  @Override
  public void copy(long to, long from, long bytes) {}

  @Override
  public void product(Product product) {
    device.products().prepare(product, tf32, this);
  }

  @Override
  public boolean productIfThere(Product product) {
    return device.products().prepareIfThere(product, tf32, this);
  }

  @Override
  public void oneOf(Ways all) {
    Ways ways = all.among(device.measuring() == Measuring.ALL, tf32);
    Ways.Way way = ways.of(device.choices().of(ways.form()));
    if (!way.launch(this)) { // rows are not those that were measured
      way = ways.first();
      taken = 0;
      way.launch(this);
    }
    kind = ways.all().size() > 1 ? way.kind() : null;
  }

  @Override
  public Optional<RecurrentLayer> recurrent(Recurrence layer) {
    return device.recurrentLayers().flatMap(all -> all.prepare(layer, tf32));
  }

  @Override
  public void convolution(Convolution convolution) {
    device.convolutions().prepare(convolution, tf32, this);
  }

  @Override
  public boolean convolutionIfThere(Convolution convolution) {
    return device
        .convolutionsIfThere()
        .map(all -> all.prepareIfThere(convolution, tf32, this))
        .orElse(false);
  }

  /** Says no, so that what may have to follow is made ready, too. */
  @Override
  public boolean convolution(Convolution convolution, long bias, boolean relu) {
    convolution(convolution);
    return false;
  }

  @Override
  public boolean graphIfThere(OperationGraph graph, long... addresses) {
    return device.operationGraphs().map(graphs -> graphs.prepareIfThere(graph, this)).orElse(false);
  }
}
