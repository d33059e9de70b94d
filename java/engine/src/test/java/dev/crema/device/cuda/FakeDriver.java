package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.DriverCalls;
import dev.crema.natives.Crema;
import dev.crema.natives.Memory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The driver of a {@link FakeCard}. Memory of the card is memory of the host, poisoned. */
final class FakeDriver implements DriverCalls {
  private static final int INVALID_VALUE = 1;

  // Not Crema's own memory, of which tests keep account.
  private final Map<Long, ByteBuffer> memory = new HashMap<>();
  private final Map<Long, ByteBuffer> pinned = new HashMap<>();
  private final Map<Long, List<Work>> queues = new HashMap<>(); // by stream
  private final Map<Long, List<Runnable>> graphs = new HashMap<>();
  private final Map<Long, Point> events = new HashMap<>();
  private final Map<Long, String> functions = new HashMap<>();
  private final Map<Long, Integer> allowed = new HashMap<>(); // bytes of shared memory, by function
  private final FakeCard card;
  private final ThreadLocal<Long> current = ThreadLocal.withInitial(() -> 0L);
  private long capturing; // the stream; 0 for none
  private List<Runnable> captured;

  int driverVersion = 13010;
  int devices = 1;
  int capability = 90;
  int multiprocessors = 132;
  int initStatus;
  int captureStatus;
  int moduleStatus; // of images that were compiled when Crema was built
  long totalBytes = 8L << 30;

  /** What calls take that begin so; while there are none, everything takes as long. */
  final Map<String, Float> milliseconds = new ConcurrentHashMap<>();

  private float clock; // milliseconds
  private long allocated;

  /** What is queued; a copy, or anything that may touch all memory of the card. */
  private record Work(Runnable run, long to, long from, long bytes) {
    boolean isCopy() {
      return bytes < Long.MAX_VALUE;
    }

    boolean copies(long address, long size) {
      return isCopy() && (overlaps(to, address, size) || overlaps(from, address, size));
    }

    private boolean overlaps(long at, long address, long size) {
      return at < address + size && address < at + bytes;
    }
  }

  /** Where an event was recorded last, and whether the stream has come there. */
  private record Point(long stream, boolean[] passed, float[] time) {}

  FakeDriver(FakeCard card) {
    this.card = card;
  }

  @Override
  public int cuInit(int flags) {
    int status = card.call("cuInit");
    return status == 0 ? initStatus : status;
  }

  @Override
  public int cuDriverGetVersion(int[] version) {
    version[0] = driverVersion;
    return card.call("cuDriverGetVersion");
  }

  @Override
  public int cuDeviceGetCount(int[] count) {
    count[0] = devices;
    return card.call("cuDeviceGetCount");
  }

  @Override
  public int cuDeviceGet(int[] device, int ordinal) {
    device[0] = ordinal;
    return card.call("cuDeviceGet");
  }

  @Override
  public int cuDeviceGetName(byte[] name, int device) {
    byte[] text = "Fake card".getBytes(StandardCharsets.UTF_8);
    System.arraycopy(text, 0, name, 0, text.length);
    name[text.length] = 0;
    return card.call("cuDeviceGetName");
  }

  @Override
  public int cuDeviceGetPCIBusId(byte[] id, int device) {
    byte[] text = FakeMonitor.BUS_ID.getBytes(StandardCharsets.UTF_8);
    System.arraycopy(text, 0, id, 0, text.length);
    return card.call("cuDeviceGetPCIBusId");
  }

  @Override
  public int cuDeviceTotalMem(long[] bytes, int device) {
    bytes[0] = totalBytes;
    return card.call("cuDeviceTotalMem");
  }

  @Override
  public int cuDeviceGetAttribute(int[] value, int attribute, int device) {
    value[0] =
        switch (attribute) {
          case 16 -> multiprocessors;
          case 38 -> 50 << 20; // bytes of the L2 cache
          case 75 -> capability / 10;
          case 76 -> capability % 10;
          case 97 -> 227 << 10; // shared memory that a block may ask for
          default -> -1;
        };
    return card.call("cuDeviceGetAttribute " + attribute);
  }

  @Override
  public int cuDevicePrimaryCtxRetain(long[] context, int device) {
    int status = card.call("cuDevicePrimaryCtxRetain");
    if (status == 0) {
      context[0] = card.make("context");
    }
    return status;
  }

  @Override
  public int cuDevicePrimaryCtxRelease(int device) {
    int status = card.call("cuDevicePrimaryCtxRelease");
    card.live.getOrDefault("context", java.util.Set.of()).stream()
        .findFirst()
        .ifPresentOrElse(
            c -> card.giveBack("context", c), () -> card.misuses.add("no context to release"));
    return status;
  }

  @Override
  public int cuCtxSetCurrent(long context) {
    card.require("context", context);
    current.set(context);
    return card.call("cuCtxSetCurrent");
  }

  @Override
  public synchronized int cuCtxSynchronize() {
    requireContext();
    if (capturing != 0) {
      card.misuses.add("waits for the context while a stream records");
    }
    queues.keySet().forEach(this::drain);
    return card.call("cuCtxSynchronize");
  }

  @Override
  public synchronized int cuMemGetInfo(long[] free, long[] total) {
    free[0] = totalBytes - allocated;
    total[0] = totalBytes;
    return card.call("cuMemGetInfo");
  }

  @Override
  public synchronized int cuMemAlloc(long[] address, long bytes) {
    requireContext();
    int status = card.call("cuMemAlloc " + bytes);
    if (status == 0 && bytes > totalBytes - allocated) {
      status = DriverStatus.OUT_OF_MEMORY;
    }
    if (status == 0) {
      ByteBuffer block = ByteBuffer.allocateDirect(Math.toIntExact(bytes + 256));
      long at = (Memory.address(block) + 255) / 256 * 256; // aligned as the card's memory is
      Crema.crema_fill(at, 0xFF, bytes);
      memory.put(at, block);
      allocated += bytes;
      address[0] = at;
      card.adopt("memory", at);
    }
    return status;
  }

  @Override
  public synchronized int cuMemFree(long address) {
    requireContext();
    int status = card.call("cuMemFree");
    card.giveBack("memory", address);
    int bytes = memory.remove(address).capacity() - 256;
    if (isInFlight(address, bytes)) {
      card.misuses.add("memory given back while work is in flight");
    }
    allocated -= bytes;
    return status;
  }

  @Override
  public synchronized int cuMemHostAlloc(long[] address, long bytes, int flags) {
    requireContext();
    int status = card.call("cuMemHostAlloc");
    if (status == 0) {
      ByteBuffer block = ByteBuffer.allocateDirect(Math.toIntExact(bytes));
      address[0] = Memory.address(block);
      pinned.put(address[0], block);
      card.adopt("pinned", address[0]);
    }
    return status;
  }

  @Override
  public synchronized int cuMemFreeHost(long address) {
    int status = card.call("cuMemFreeHost");
    card.giveBack("pinned", address);
    if (isCopied(address, pinned.remove(address).capacity())) {
      card.misuses.add("pinned memory given back while it is copied");
    }
    return status;
  }

  @Override
  public int cuMemcpyHtoDAsync(long to, long from, long bytes, long stream) {
    return copy("cuMemcpyHtoDAsync " + bytes, to, from, bytes, stream);
  }

  @Override
  public int cuMemcpyDtoHAsync(long to, long from, long bytes, long stream) {
    return copy("cuMemcpyDtoHAsync " + bytes, to, from, bytes, stream);
  }

  @Override
  public int cuMemcpyDtoDAsync(long to, long from, long bytes, long stream) {
    return copy("cuMemcpyDtoDAsync " + bytes, to, from, bytes, stream);
  }

  @Override
  public int cuMemsetD8Async(long to, int value, long bytes, long stream) {
    return queue("cuMemsetD8Async " + bytes, stream, () -> Crema.crema_fill(to, value, bytes));
  }

  private int copy(String name, long to, long from, long bytes, long stream) {
    return queue(name, stream, new Work(() -> Crema.crema_copy(to, from, bytes), to, from, bytes));
  }

  /** Records the call and queues what it does, unless it fails. */
  int queue(String name, long stream, Runnable work) {
    return queue(name, stream, new Work(work, 0, 0, Long.MAX_VALUE));
  }

  private synchronized int queue(String name, long stream, Work work) {
    requireContext();
    card.require("stream", stream);
    int status = card.call(name);
    if (status == 0) {
      Work timed = new Work(() -> run(name, work.run), work.to, work.from, work.bytes);
      if (capturing == stream) {
        captured.add(timed.run);
      } else {
        queues.get(stream).add(timed);
      }
    }
    return status;
  }

  private void run(String name, Runnable work) {
    for (Map.Entry<String, Float> cost : milliseconds.entrySet()) {
      clock += name.startsWith(cost.getKey()) ? cost.getValue() : 0;
    }
    work.run();
  }

  @Override
  public synchronized int cuStreamCreate(long[] stream, int flags) {
    requireContext();
    int status = card.call("cuStreamCreate");
    if (status == 0) {
      stream[0] = card.make("stream");
      queues.put(stream[0], new ArrayList<>());
    }
    return status;
  }

  @Override
  public synchronized int cuStreamDestroy(long stream) {
    requireContext();
    int status = card.call("cuStreamDestroy");
    card.giveBack("stream", stream);
    drain(stream);
    queues.remove(stream);
    return status;
  }

  @Override
  public synchronized int cuStreamSynchronize(long stream) {
    requireContext();
    card.require("stream", stream);
    int status = card.call("cuStreamSynchronize");
    drain(stream);
    return status;
  }

  private void drain(long stream) {
    List<Work> work = queues.get(stream);
    while (work != null && !work.isEmpty()) {
      work.remove(0).run.run();
    }
  }

  private boolean isInFlight(long address, long bytes) {
    return queues.values().stream()
        .flatMap(List::stream)
        .anyMatch(work -> !work.isCopy() || work.copies(address, bytes));
  }

  private boolean isCopied(long address, long bytes) {
    return queues.values().stream()
        .flatMap(List::stream)
        .anyMatch(work -> work.copies(address, bytes));
  }

  @Override
  public synchronized int cuStreamBeginCapture(long stream, int mode) {
    int status = card.call("cuStreamBeginCapture");
    if (status == 0) {
      if (capturing != 0) {
        card.misuses.add("two streams record");
      }
      capturing = stream;
      captured = new ArrayList<>();
    }
    return status;
  }

  @Override
  public synchronized int cuStreamEndCapture(long stream, long[] graph) {
    int status = card.call("cuStreamEndCapture");
    if (status == 0) {
      status = captureStatus;
    }
    if (capturing != stream) {
      card.misuses.add("a recording ends that did not begin");
    }
    capturing = 0;
    if (status == 0) {
      graph[0] = card.make("graph");
      graphs.put(graph[0], captured);
    }
    return status;
  }

  @Override
  public synchronized int cuGraphInstantiate(long[] executable, long graph, long flags) {
    card.require("graph", graph);
    int status = card.call("cuGraphInstantiate");
    if (status == 0) {
      executable[0] = card.make("executable");
      graphs.put(executable[0], graphs.get(graph));
    }
    return status;
  }

  @Override
  public int cuGraphLaunch(long executable, long stream) {
    card.require("executable", executable);
    List<Runnable> work;
    synchronized (this) {
      work = graphs.get(executable);
    }
    return queue("cuGraphLaunch", stream, () -> work.forEach(Runnable::run));
  }

  @Override
  public synchronized int cuGraphExecDestroy(long executable) {
    int status = card.call("cuGraphExecDestroy");
    card.giveBack("executable", executable);
    graphs.remove(executable);
    return status;
  }

  @Override
  public synchronized int cuGraphDestroy(long graph) {
    int status = card.call("cuGraphDestroy");
    card.giveBack("graph", graph);
    graphs.remove(graph);
    return status;
  }

  @Override
  public int cuEventCreate(long[] event, int flags) {
    int status = card.call("cuEventCreate");
    if (status == 0) {
      event[0] = card.make("event");
    }
    return status;
  }

  @Override
  public int cuEventRecord(long event, long stream) {
    card.require("event", event);
    boolean[] passed = new boolean[1];
    float[] time = new float[1];
    Runnable pass =
        () -> {
          passed[0] = true;
          time[0] = clock;
        };
    int status = queue("cuEventRecord", stream, new Work(pass, 0, 0, 0));
    if (status == 0) {
      synchronized (this) {
        events.put(event, new Point(stream, passed, time));
      }
    }
    return status;
  }

  /** The stream goes on when what was queued on the other before the event has run. */
  @Override
  public int cuStreamWaitEvent(long stream, long event, int flags) {
    card.require("event", event);
    Point point;
    synchronized (this) {
      point = events.get(event);
    }
    return queue("cuStreamWaitEvent", stream, new Work(() -> runUpTo(point), 0, 0, 0));
  }

  @Override
  public synchronized int cuEventSynchronize(long event) {
    card.require("event", event);
    int status = card.call("cuEventSynchronize");
    runUpTo(events.get(event));
    return status;
  }

  private synchronized void runUpTo(Point point) {
    while (point != null && !point.passed[0]) {
      queues.get(point.stream).remove(0).run.run();
    }
  }

  @Override
  public int cuEventElapsedTime(float[] milliseconds, long start, long end) {
    int status = card.call("cuEventElapsedTime");
    synchronized (this) {
      if (this.milliseconds.isEmpty()) {
        milliseconds[0] = 0.25f;
      } else {
        milliseconds[0] = events.get(end).time[0] - events.get(start).time[0];
      }
    }
    return status;
  }

  @Override
  public int cuEventDestroy(long event) {
    int status = card.call("cuEventDestroy");
    card.giveBack("event", event);
    synchronized (this) {
      events.remove(event);
    }
    return status;
  }

  @Override
  public int cuModuleLoadData(long[] module, long image) {
    requireContext();
    int status = card.call("cuModuleLoadData");
    if (status == 0) {
      status = moduleStatus;
      moduleStatus = 0;
    }
    if (status == 0) {
      module[0] = card.make("module");
    }
    return status;
  }

  @Override
  public int cuModuleUnload(long module) {
    int status = card.call("cuModuleUnload");
    card.giveBack("module", module);
    return status;
  }

  @Override
  public synchronized int cuModuleGetFunction(long[] function, long module, String name) {
    card.require("module", module);
    int status = card.call("cuModuleGetFunction " + name);
    if (status == 0 && !card.kernels.has(name)) {
      status = 500; // not found
    }
    if (status == 0) {
      function[0] = 0x100000 + functions.size();
      functions.put(function[0], name);
    }
    return status;
  }

  @Override
  public synchronized int cuFuncSetAttribute(long function, int attribute, int value) {
    int status = card.call("cuFuncSetAttribute " + attribute + " " + value);
    if (status == 0 && attribute == 8) { // MAX_DYNAMIC_SHARED_SIZE_BYTES
      allowed.put(function, value);
    }
    return status;
  }

  @Override
  public int cuLaunchKernel(
      long function,
      int gridX,
      int gridY,
      int gridZ,
      int blockX,
      int blockY,
      int blockZ,
      int sharedBytes,
      long stream,
      long parameters) {
    String name;
    synchronized (this) {
      name = functions.get(function);
      // A block has 48 KB unasked; some are taken by arrays that the kernel declares.
      if (sharedBytes > 44 << 10 && sharedBytes > allowed.getOrDefault(function, 0)) {
        card.call("cuLaunchKernel " + name);
        return INVALID_VALUE;
      }
    }
    FakeKernels.Launch launch =
        card.kernels.launch(
            name,
            new int[] {gridX, gridY, gridZ},
            new int[] {blockX, blockY, blockZ},
            sharedBytes,
            parameters);
    return queue("cuLaunchKernel " + name, stream, launch::run);
  }

  @Override
  public String errorName(int status) {
    return status == DriverStatus.OUT_OF_MEMORY
        ? "CUDA_ERROR_OUT_OF_MEMORY"
        : "CUDA_ERROR_" + status;
  }

  @Override
  public String errorText(int status) {
    return "status " + status;
  }

  private void requireContext() {
    if (current.get() == 0) {
      card.misuses.add("no context is current");
    }
  }
}
