package dev.crema.device.cuda;

import dev.crema.CremaException;
import dev.crema.device.Device;
import dev.crema.device.MemoryUse;
import dev.crema.device.Program;
import dev.crema.device.ProgramSpec;
import dev.crema.device.cuda.calls.CudaLibraries;
import dev.crema.device.cuda.kernel.KernelTable;
import dev.crema.device.cuda.kernel.Processor;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.LoggerFactory;

/**
 * An NVIDIA card. Programs of one card share copies of weights there; each has its own arena and
 * stream. Not yet run on hardware: tested against a recording of the calls it makes.
 */
public final class CudaDevice implements Device {
  private static final int MULTIPROCESSORS = 16; // CU_DEVICE_ATTRIBUTE_...
  private static final int L2_BYTES = 38;
  private static final int CAPABILITY_MAJOR = 75;
  private static final int CAPABILITY_MINOR = 76;
  private static final int SHARED_BYTES_OPTIN = 97;

  private final CudaCard card;
  private final CudaOptions options;
  private final Context context;
  private final CopyStream copies;
  private final DeviceMemory memory;
  private final InputCopies inputs;
  private final Mirrors mirrors;
  private final Modules modules;
  private final Choices choices = new Choices();
  private final Processor processor;
  private final AtomicBoolean warned = new AtomicBoolean();
  private KernelCompiler compiler; // null until it is needed
  private Products products; // likewise
  private Convolutions convolutions; // likewise
  private Optional<OperationGraphs> graphs; // likewise
  private RecurrentLayers recurrentLayers; // likewise
  private CardMonitor monitor; // likewise

  /**
   * @param card what {@link CudaCards} has found to be usable
   */
  CudaDevice(CudaLibraries libraries, CudaCard card, CudaOptions options) {
    this.card = card;
    this.options = options;
    try (Undo undo = new Undo()) {
      this.context = undo.on(new Context(card.name(), libraries, card.ordinal()), Context::close);
      context.enter();
      this.processor =
          new Processor(
              10 * context.attribute(CAPABILITY_MAJOR) + context.attribute(CAPABILITY_MINOR),
              context.attribute(MULTIPROCESSORS),
              context.attribute(SHARED_BYTES_OPTIN),
              context.attribute(L2_BYTES));
      this.memory = new DeviceMemory(context);
      this.inputs = new InputCopies(context, memory);
      this.copies = undo.on(new CopyStream(context), CopyStream::close);
      this.mirrors = new Mirrors(context, copies, memory);
      this.modules = new Modules(context, memory, KernelSource::fatbin, this::compiler);
      undo.keep();
    }
  }

  @Override
  public String name() {
    return card.name();
  }

  @Override
  public String description() {
    return card.description();
  }

  /** The card: memory, compute capability, versions. */
  public CudaCard card() {
    return card;
  }

  @Override
  public int elementwise(String operation) {
    int number = options.elementwise().applyAsInt(operation);
    if (number < 0) {
      throw new CremaException(name() + " has no element-wise operation named " + operation);
    }
    return number;
  }

  @Override
  public boolean hasOwnMemory() {
    return true;
  }

  @Override
  public boolean has(String kernel, ElementType type) {
    return KernelTable.has(kernel, type);
  }

  @Override
  public Buffer hostMemory(long bytes, String name) {
    return PinnedMemory.allocate(context, bytes, name);
  }

  @Override
  public Buffer inputMemory(long bytes, String name) {
    return inputs.allocate(bytes, name);
  }

  @Override
  public void send(Buffer memory, long bytes) {
    inputs.send(Objects.requireNonNull(memory, "memory"), bytes);
  }

  @Override
  public Program load(ProgramSpec spec) {
    spec.requireElements(this);
    return new CudaProgram(this, spec);
  }

  @Override
  public Optional<MemoryUse> memoryUse() {
    context.enter();
    long[] free = new long[1];
    long[] total = new long[1];
    context.check(context.calls().cuMemGetInfo(free, total), "cuMemGetInfo");
    return Optional.of(new MemoryUse(memory.used(), total[0] - free[0], total[0]));
  }

  @Override
  public OptionalDouble utilization() {
    return monitor().utilization();
  }

  private synchronized CardMonitor monitor() {
    if (monitor == null) {
      monitor = CardMonitor.of(name(), context.libraries(), context.busId());
    }
    return monitor;
  }

  /** Bytes of the card that plans use now. */
  public long usedBytes() {
    return memory.used();
  }

  Context context() {
    return context;
  }

  DeviceMemory memory() {
    return memory;
  }

  InputCopies inputs() {
    return inputs;
  }

  Mirrors mirrors() {
    return mirrors;
  }

  Modules modules() {
    return modules;
  }

  /** Which ways the card has found to be the fastest. */
  Choices choices() {
    return choices;
  }

  /** Which ways it may try. */
  Measuring measuring() {
    return options.measuring();
  }

  Processor processor() {
    return processor;
  }

  /** Whether to wait after each instruction, so that an error names the right one. */
  boolean checksEach() {
    return options.checksEach();
  }

  synchronized Products products() {
    if (products == null) {
      products = new Products(context.libraries().blas());
    }
    return products;
  }

  synchronized Convolutions convolutions() {
    if (convolutions == null) {
      convolutions = new Convolutions(context.libraries().dnn());
    }
    return convolutions;
  }

  /** Empty where there is no cuDNN, or one for another CUDA. */
  synchronized Optional<OperationGraphs> operationGraphs() {
    if (graphs == null) {
      graphs = OperationGraphs.ifThere(context.libraries());
    }
    return graphs;
  }

  /** Empty where {@link #operationGraphs} are: nothing needs these convolutions. */
  synchronized Optional<Convolutions> convolutionsIfThere() {
    return operationGraphs().map(graphs -> convolutions());
  }

  /** Likewise. */
  synchronized Optional<RecurrentLayers> recurrentLayers() {
    if (recurrentLayers == null && operationGraphs().isPresent()) {
      recurrentLayers = new RecurrentLayers(context.libraries().dnn());
    }
    return Optional.ofNullable(recurrentLayers);
  }

  private synchronized KernelCompiler compiler() {
    if (compiler == null) {
      compiler =
          new KernelCompiler(
              context.libraries().compiler(), options.cache(), processor.capability());
    }
    return compiler;
  }

  /** Once: that runs are slower than they could be. */
  void warnUnrecordable(CudaException reason) {
    if (!warned.getAndSet(true)) {
      LoggerFactory.getLogger(CudaDevice.class)
          .warn("A plan on {} runs without a CUDA graph: {}", name(), reason.getMessage());
    }
  }

  /** For tests: gives everything back. Programs are closed before. */
  void close() {
    context.enterToClose();
    synchronized (this) {
      if (products != null) {
        products.close();
      }
      if (convolutions != null) {
        convolutions.close();
      }
      if (graphs != null) {
        graphs.ifPresent(OperationGraphs::close);
      }
      if (recurrentLayers != null) {
        recurrentLayers.close();
      }
    }
    modules.close();
    memory.close();
    inputs.close();
    copies.close();
    context.close();
  }

  @Override
  public String toString() {
    return name() + " (" + card.model() + ")";
  }
}
