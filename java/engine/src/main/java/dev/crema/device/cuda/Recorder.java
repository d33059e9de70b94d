package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.DriverCalls;
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
 * Queues what instructions do on a stream, where it runs or, while the stream records, becomes part
 * of a graph.
 */
final class Recorder implements Launches {
  private final CudaDevice device;
  private final boolean tf32;
  private final Context context;
  private final DriverCalls calls;
  private final long stream;
  private final long scratch;
  private final long scratchBytes;
  private long taken; // of the scratch memory, by this instruction
  private String kind; // of the way that it takes; null: the first
  private Race race; // before it; null: none

  /**
   * @param tf32 whether float32 factors may be rounded to TF32
   */
  Recorder(CudaDevice device, boolean tf32, long stream, long scratch, long scratchBytes) {
    this.device = device;
    this.tf32 = tf32;
    this.context = device.context();
    this.calls = context.calls();
    this.stream = stream;
    this.scratch = scratch;
    this.scratchBytes = scratchBytes;
  }

  /**
   * Before each instruction.
   *
   * @param newKind of the way that it takes, for which there is scratch memory; null: the first
   * @param newRace finds out which way it should have taken, if that is not known; null: nobody
   *     asks
   */
  void begin(String newKind, Race newRace) {
    taken = 0;
    kind = newKind;
    race = newRace;
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
    if (gridX == 0 || gridY == 0 || gridZ == 0) {
      return;
    }
    LaunchLimits.check(function, gridX, gridY, gridZ, blockX, blockY, blockZ);
    long handle = device.modules().function(family, function);
    device.modules().allowShared(handle, sharedBytes);
    try (HostArguments there = new HostArguments(arguments)) {
      context.check(
          calls.cuLaunchKernel(
              handle,
              (int) gridX,
              gridY,
              gridZ,
              blockX,
              blockY,
              blockZ,
              sharedBytes,
              stream,
              there.address()),
          "cuLaunchKernel of " + function);
    }
  }

  @Override
  public long scratch(long bytes) {
    long at = taken;
    taken += ScratchSize.rounded(bytes);
    if (taken > scratchBytes) {
      throw new IllegalStateException(
          "A kernel asks for more scratch memory than when its program was made");
    }
    return scratch + at;
  }

  @Override
  public void fill(long address, int value, long bytes) {
    if (bytes > 0) {
      context.check(calls.cuMemsetD8Async(address, value, bytes, stream), "cuMemsetD8Async");
    }
  }

  @Override
  public void copy(long to, long from, long bytes) {
    if (bytes > 0) {
      context.check(calls.cuMemcpyDtoDAsync(to, from, bytes, stream), "cuMemcpyDtoDAsync");
    }
  }

  @Override
  public void product(Product product) {
    device.products().run(product, tf32, this, stream);
  }

  @Override
  public boolean productIfThere(Product product) {
    return device.products().runIfThere(product, tf32, this, stream);
  }

  /** What has just been found to be the fastest is taken at once if its scratch memory is there. */
  @Override
  public void oneOf(Ways all) {
    Ways ways = all.among(device.measuring() == Measuring.ALL, tf32);
    Ways.Way way = ways.of(kind);
    if (race != null) {
      race.run(ways);
      Ways.Way best = ways.of(device.choices().of(ways.form()));
      ScratchSize size = new ScratchSize(device, tf32);
      size.begin();
      way = best.launch(size) && size.most() <= scratchBytes ? best : way;
    }
    if (!way.launch(this)) {
      throw new IllegalStateException("Nothing was prepared for " + way.kind());
    }
  }

  @Override
  public Optional<RecurrentLayer> recurrent(Recurrence layer) {
    return device.recurrentLayers().flatMap(all -> all.on(layer, tf32, stream));
  }

  @Override
  public void convolution(Convolution convolution) {
    device.convolutions().run(convolution, tf32, this, stream);
  }

  @Override
  public boolean convolutionIfThere(Convolution convolution) {
    return device
        .convolutionsIfThere()
        .map(all -> all.runIfThere(convolution, tf32, this, stream))
        .orElse(false);
  }

  @Override
  public boolean convolution(Convolution convolution, long bias, boolean relu) {
    return device.convolutions().run(convolution, bias, relu, tf32, this, stream);
  }

  @Override
  public boolean graphIfThere(OperationGraph graph, long... addresses) {
    return device
        .operationGraphs()
        .map(graphs -> graphs.runIfThere(graph, addresses, this, stream))
        .orElse(false);
  }
}
