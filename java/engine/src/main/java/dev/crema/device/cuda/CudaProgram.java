package dev.crema.device.cuda;

import dev.crema.CremaException;
import dev.crema.device.KernelException;
import dev.crema.device.Program;
import dev.crema.device.ProgramSpec;
import dev.crema.device.cuda.calls.DriverCalls;
import dev.crema.memory.Buffer;
import dev.crema.memory.Exclusive;
import java.nio.LongBuffer;
import java.util.List;

/**
 * A program on a card. The first run of a batch size queues its kernels one by one, and tries those
 * that do the same in several ways; the second records them as a graph, and from then on a run is:
 * copy the inputs, launch the graph, copy the results, wait. That allocates nothing on the Java
 * heap.
 */
final class CudaProgram implements Program {
  private static final long NO_ERROR = -1; // all ones

  private final CudaDevice device;
  private final Context context;
  private final DriverCalls calls;
  private final ProgramSpec spec;
  private final Regions regions;
  private final Instructions instructions;
  private final Recordings recordings;
  private final Buffer errorWord; // of the host
  private final LongBuffer error;
  private final long stream;
  private boolean errorsDirty = true;
  private final Exclusive use = new Exclusive("This plan", this::destroy);

  CudaProgram(CudaDevice device, ProgramSpec spec) {
    this.device = device;
    this.context = device.context();
    this.calls = context.calls();
    this.spec = spec;
    this.recordings = new Recordings(spec, this::dropGraph);
    context.enter();
    try (Undo undo = new Undo()) {
      long errorBytes = 8L * (1 + spec.instructions().size());
      this.errorWord = undo.on(device.hostMemory(8, "A plan's error word"), Buffer::close);
      this.error = errorWord.borrow(0, 8).asLongBuffer();
      this.regions = undo.on(new Regions(device, spec, errorBytes), Regions::close);
      this.instructions = undo.on(new Instructions(device, spec, regions), Instructions::close);
      this.stream = undo.on(Streams.create(context), s -> Streams.destroy(context, s));
      instructions.prepare(spec.capacity());
      undo.keep();
    }
  }

  @Override
  public void bind(int region, Buffer buffer) {
    long needed = spec.regions().get(region).bytes();
    if (buffer.byteSize() < needed) {
      throw new CremaException(
          "Region "
              + region
              + " of this plan needs "
              + needed
              + " bytes but the buffer bound to it has "
              + buffer.byteSize());
    }
    use.enter();
    try {
      context.enter();
      if (regions.bind(region, buffer)) {
        recordings.dropGraphs();
      }
    } finally {
      use.leave();
    }
  }

  @Override
  public void run(long batch, long sections) {
    use.enter();
    try {
      context.enter();
      requireCapacity(batch);
      Recording r = recordings.get(batch, sections);
      boolean started = false;
      try {
        upload(r);
        started = true;
        compute(r);
        download(r);
        context.check(calls.cuStreamSynchronize(stream), "cuStreamSynchronize");
      } catch (RuntimeException | Error e) {
        errorsDirty = true;
        afterFailure(r, started);
        throw e;
      }
      regions.written(r);
      if (r.canFail && error.get(0) != NO_ERROR) {
        errorsDirty = true;
        throw dataError(batch, error.get(0));
      }
    } finally {
      use.leave();
    }
  }

  private void requireCapacity(long batch) {
    if (batch < 0 || batch > spec.capacity()) {
      throw new CremaException(
          "A batch of " + batch + " in a plan for " + spec.capacity() + " examples");
    }
  }

  private void upload(Recording r) {
    if (errorsDirty) {
      regions.clearErrors(stream);
      errorsDirty = false;
    }
    regions.upload(r, stream);
  }

  private void compute(Recording r) {
    if (r.graph == 0) {
      prepare(r.batch);
      if (r.isWarm && !r.isUnrecordable && !device.checksEach()) {
        record(r);
      }
    }
    if (r.graph == 0) {
      boolean tries = device.measuring() != Measuring.NOTHING && !r.isWarm;
      queue(r, tries ? new Race(device, spec.tf32(), stream) : null);
      r.isWarm = true;
    } else {
      context.check(calls.cuGraphLaunch(r.graph, stream), "cuGraphLaunch");
    }
  }

  private void prepare(long batch) {
    if (instructions.prepare(batch)) {
      recordings.dropGraphs(); // they know where the scratch memory was
    }
  }

  private void record(Recording r) {
    synchronized (context.recording()) {
      try {
        r.graph = Graphs.capture(context, device.memory(), stream, () -> queue(r, null));
      } catch (CudaException e) {
        if (!DriverStatus.isOfCapture(e.status())) {
          throw e;
        }
        r.isUnrecordable = true;
        device.warnUnrecordable(e);
      }
    }
  }

  private void queue(Recording r, Race race) {
    r.canFail = instructions.queue(r.batch, r.sections, stream, null, race);
  }

  private void download(Recording r) {
    regions.download(r, stream);
    if (r.canFail) {
      context.check(
          calls.cuMemcpyDtoHAsync(errorWord.address(), regions.errors(), 8, stream),
          "cuMemcpyDtoHAsync");
    }
  }

  /** Nothing may run on when the caller gives memory back; what ran may have changed storages. */
  private void afterFailure(Recording r, boolean started) {
    context.quietly(calls.cuStreamSynchronize(stream), "cuStreamSynchronize");
    if (started) {
      try {
        regions.written(r);
      } catch (CudaException e) {
        // Whoever reads what is lost is told; the failure that led here says more.
      }
    }
  }

  private KernelException dataError(long batch, long slot) {
    int instruction = (int) slot - 1;
    String text = "bad data";
    if (instruction >= 0 && instruction < spec.instructions().size()) {
      context.check(
          calls.cuMemcpyDtoHAsync(errorWord.address(), regions.errors() + 8 * slot, 8, stream),
          "cuMemcpyDtoHAsync");
      context.check(calls.cuStreamSynchronize(stream), "cuStreamSynchronize");
      text = instructions.message(instruction, batch, error.get(0));
    }
    return new KernelException(instruction, text);
  }

  @Override
  public long[] profile(long batch, long sections) {
    use.enter();
    try {
      context.enter();
      requireCapacity(batch);
      Recording r = new Recording(spec, spec.writtenBy(), batch, sections);
      boolean started = false;
      try (Timeline times = new Timeline(context, spec.instructions().size())) {
        upload(r);
        started = true;
        prepare(batch);
        times.record(stream);
        r.canFail = instructions.queue(batch, sections, stream, times, null);
        download(r);
        context.check(calls.cuStreamSynchronize(stream), "cuStreamSynchronize");
        regions.written(r);
        started = false;
        if (r.canFail && error.get(0) != NO_ERROR) {
          errorsDirty = true;
          throw dataError(batch, error.get(0));
        }
        return times.nanos();
      } catch (RuntimeException | Error e) {
        errorsDirty = true;
        afterFailure(r, started);
        throw e;
      }
    } finally {
      use.leave();
    }
  }

  @Override
  public List<String> ways() {
    return instructions.ways();
  }

  @Override
  public void close() {
    use.close();
  }

  private void destroy() {
    context.enterToClose();
    recordings.dropGraphs();
    Streams.destroy(context, stream);
    instructions.close();
    regions.close();
    errorWord.close();
  }

  private void dropGraph(Recording r) {
    if (r.graph != 0) {
      context.quietly(calls.cuGraphExecDestroy(r.graph), "cuGraphExecDestroy");
      r.graph = 0;
    }
  }
}
