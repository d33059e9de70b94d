package dev.crema.device.cuda;

import dev.crema.device.ProgramSpec;
import dev.crema.device.ProgramSpec.PlacedTensor;
import dev.crema.device.ProgramSpec.Region;
import dev.crema.device.ProgramSpec.Use;
import dev.crema.device.cuda.calls.DriverCalls;
import dev.crema.memory.Buffer;

/**
 * The memory of one program: a piece of the card's for its arena, inputs, results and errors, and
 * mirrors of its constants and storages.
 */
final class Regions {
  private static final long ALIGNMENT = 256;
  private static final int ONES = 0xFF;

  private final Context context;
  private final DriverCalls calls;
  private final Mirrors mirrors;
  private final InputCopies inputs;
  private final ProgramSpec spec;
  private final DeviceMemory.Piece own;
  private final long errors;
  private final long errorBytes;
  private final long[] addresses; // on the card; 0 while a shared region is not bound
  private final long[] hosts;
  private final Buffer[] bound; // inputs and results
  private final InputCopy[] sent; // of inputs; null where nothing can be sent ahead
  private final Mirror[] shared;

  /** The context is current. */
  Regions(CudaDevice device, ProgramSpec spec, long errorBytes) {
    this.context = device.context();
    this.calls = context.calls();
    this.mirrors = device.mirrors();
    this.inputs = device.inputs();
    this.spec = spec;
    this.errorBytes = errorBytes;
    int count = spec.regions().size();
    this.addresses = new long[count];
    this.hosts = new long[count];
    this.bound = new Buffer[count];
    this.sent = new InputCopy[count];
    this.shared = new Mirror[count];
    long bytes = errorBytes;
    for (int r = 0; r < count; r++) {
      if (!isShared(r)) {
        bytes = aligned(bytes);
        addresses[r] = bytes;
        bytes = Math.addExact(bytes, spec.regions().get(r).bytes());
      }
    }
    own =
        device.memory().allocate(bytes, "The arena of a plan for " + spec.capacity() + " examples");
    errors = own.address();
    for (int r = 0; r < count; r++) {
      if (!isShared(r)) {
        addresses[r] += own.address();
      }
    }
  }

  private static long aligned(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  private boolean isShared(int region) {
    Use use = spec.regions().get(region).use();
    return use == Use.STORAGE || use == Use.CONSTANTS;
  }

  /** Where the table of errors lies on the card. */
  long errors() {
    return errors;
  }

  /** Where a tensor lies on the card; 0 while its storage is not bound. */
  long address(PlacedTensor tensor) {
    long region = addresses[tensor.region()];
    return region == 0 ? 0 : region + tensor.offset();
  }

  /** Whether that moved a region on the card. */
  boolean bind(int region, Buffer buffer) {
    if (!isShared(region)) {
      long host = buffer.retain().address();
      if (bound[region] != null) {
        bound[region].release();
      }
      bound[region] = buffer;
      hosts[region] = host;
      sent[region] = inputs.of(host);
      return false;
    }
    Mirror mirror = mirrors.use(buffer);
    Mirror before = shared[region];
    shared[region] = mirror;
    addresses[region] = mirror.address() + buffer.address() - mirror.host();
    if (before != null) {
      mirrors.drop(before);
    }
    return true;
  }

  /** Queues the copies of inputs, and of storages that the host has changed. */
  void upload(Recording r, long stream) {
    for (int i = 0; i < addresses.length; i++) {
      if (shared[i] != null) {
        shared[i].upload(stream);
      } else if (r.uploads[i] > 0) {
        bound(i).settle();
        uploadInput(i, r.uploads[i], stream);
      } else if (isShared(i)) {
        throw unbound(i);
      }
    }
  }

  private void uploadInput(int region, long bytes, long stream) {
    InputCopy ahead = sent[region];
    if (ahead == null || !ahead.take(addresses[region], bytes, stream)) {
      context.check(
          calls.cuMemcpyHtoDAsync(addresses[region], hosts[region], bytes, stream),
          "cuMemcpyHtoDAsync");
    }
  }

  /** Queues the copies of results. */
  void download(Recording r, long stream) {
    for (int i = 0; i < addresses.length; i++) {
      long[] ranges = r.downloads[i];
      for (int at = 0; at < ranges.length; at += 2) {
        bound(i);
        context.check(
            calls.cuMemcpyDtoHAsync(
                hosts[i] + ranges[at], addresses[i] + ranges[at], ranges[at + 1], stream),
            "cuMemcpyDtoHAsync");
      }
    }
  }

  /** Says which storages a run has changed, when it is done. */
  void written(Recording r) {
    for (int i = 0; i < addresses.length; i++) {
      if (r.written[i]) {
        shared[i].written();
      }
    }
  }

  /** Queues the reset of the table of errors. */
  void clearErrors(long stream) {
    context.check(calls.cuMemsetD8Async(errors, ONES, errorBytes, stream), "cuMemsetD8Async");
  }

  private Buffer bound(int region) {
    if (bound[region] == null) {
      throw unbound(region);
    }
    return bound[region];
  }

  private IllegalStateException unbound(int region) {
    Region r = spec.regions().get(region);
    return new IllegalStateException(
        "Region " + region + " (" + r.use() + ") of this plan is not bound to memory");
  }

  void close() {
    for (int i = 0; i < addresses.length; i++) {
      if (shared[i] != null) {
        mirrors.drop(shared[i]);
      }
      if (bound[i] != null) {
        bound[i].release();
      }
    }
    own.close();
  }
}
