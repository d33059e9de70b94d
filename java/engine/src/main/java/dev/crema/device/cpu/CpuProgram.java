package dev.crema.device.cpu;

import dev.crema.CremaException;
import dev.crema.device.KernelException;
import dev.crema.device.Program;
import dev.crema.device.ProgramSpec;
import dev.crema.device.ProgramSpec.Use;
import dev.crema.memory.Buffer;
import dev.crema.memory.Exclusive;
import dev.crema.natives.Crema;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.nio.charset.StandardCharsets;

/** A native plan. Running it is one call into native code and allocates nothing. */
final class CpuProgram implements Program {
  private static final int ERROR_BYTES = 256;

  private final ProgramSpec spec;
  private final Buffer table; // addresses of the regions; read by native code at every run
  private final LongBuffer addresses;
  private final Buffer[] bound;
  private final long[] writtenBy; // sections that change each region; 0 but for storages
  private Buffer scratch; // of the kernels; shared by all, as one runs after the other
  private final long handle;
  private final Exclusive use = new Exclusive("This plan", this::destroy);

  CpuProgram(CpuDevice device, ProgramSpec spec) {
    this.spec = spec;
    this.bound = new Buffer[spec.regions().size()];
    this.writtenBy = spec.writtenBy();
    for (int i = 0; i < bound.length; i++) {
      if (spec.regions().get(i).use() != Use.STORAGE) {
        writtenBy[i] = 0;
      }
    }
    this.table = Buffer.allocate(Math.max(8L, 8L * bound.length));
    this.addresses = table.borrow(0, 8 * bound.length).asLongBuffer();
    long created = 0;
    try {
      for (int i = 0; i < bound.length; i++) {
        addresses.put(i, 0);
      }
      created = create(Words.of(device, spec, table.address()));
      scratch = scratch(created);
    } finally {
      if (scratch == null) {
        Crema.crema_plan_destroy(created);
        table.close();
      }
    }
    this.handle = created;
  }

  /** Scratch memory for as many threads as there are now, bound to the plan. */
  private static Buffer scratch(long plan) {
    long bytes = Crema.crema_plan_scratch(plan);
    Buffer memory = Buffer.allocate(bytes, "Scratch memory of a plan");
    if (Crema.crema_plan_bind_scratch(plan, memory.address(), bytes) != Crema.CREMA_OK) {
      memory.close();
      throw new CremaException("The number of threads changed while a plan was made; try again");
    }
    return memory;
  }

  private static long create(long[] words) {
    try (Buffer memory = Buffer.allocate(8L * words.length);
        Buffer error = Buffer.allocate(ERROR_BYTES)) {
      memory.borrow(0, 8 * words.length).asLongBuffer().put(words);
      long plan =
          Crema.crema_plan_create(memory.address(), words.length, error.address(), ERROR_BYTES);
      if (plan == 0) {
        throw new CremaException("The CPU refuses this plan: " + text(error));
      }
      return plan;
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
    if (writtenBy[region] != 0 && !buffer.isWritable()) {
      throw new CremaException(
          "This plan changes the storage in region "
              + region
              + ", but the buffer bound to it, "
              + buffer
              + ", is mapped for reading only. Map it writable or copy it.");
    }
    use.enter();
    try {
      Buffer before = bound[region];
      bound[region] = buffer.retain();
      addresses.put(region, buffer.address());
      if (before != null) {
        before.release();
      }
    } finally {
      use.leave();
    }
  }

  @Override
  public void run(long batch, long sections) {
    use.enter();
    try {
      settle();
      int status = Crema.crema_plan_run(handle, batch, sections);
      if (status == Crema.CREMA_ERROR_MEMORY) { // more threads than when it was made, most likely
        growScratch();
        status = Crema.crema_plan_run(handle, batch, sections);
      }
      changed(sections);
      if (status != Crema.CREMA_OK) {
        throw failure(batch);
      }
    } finally {
      use.leave();
    }
  }

  /** What another device computed last in a storage is copied back before it is read here. */
  private void settle() {
    for (Buffer buffer : bound) {
      if (buffer != null) {
        buffer.settle();
      }
    }
  }

  private void changed(long sections) {
    for (int i = 0; i < bound.length; i++) {
      if ((writtenBy[i] & sections) != 0) {
        bound[i].changed();
      }
    }
  }

  @Override
  public long[] profile(long batch, long sections) {
    int count = spec.instructions().size();
    long[] nanos = new long[count];
    use.enter();
    try (Buffer memory = Buffer.allocate(Math.max(8L, 8L * count))) {
      settle();
      int status = Crema.crema_plan_profile(handle, batch, sections, memory.address(), count);
      if (status == Crema.CREMA_ERROR_MEMORY) {
        growScratch();
        status = Crema.crema_plan_profile(handle, batch, sections, memory.address(), count);
      }
      changed(sections);
      if (status != Crema.CREMA_OK) {
        throw failure(batch);
      }
      memory.borrow(0, 8 * count).asLongBuffer().get(nanos);
    } finally {
      use.leave();
    }
    return nanos;
  }

  private void growScratch() {
    Buffer before = scratch;
    scratch = scratch(handle);
    before.close();
  }

  private CremaException failure(long batch) {
    try (Buffer error = Buffer.allocate(ERROR_BYTES)) {
      int instruction = (int) Crema.crema_plan_error(handle, error.address(), ERROR_BYTES);
      String message = text(error);
      if (instruction < 0) {
        return new CremaException("A batch of " + batch + ": " + message);
      }
      return new KernelException(
          instruction, spec.instructions().get(instruction).where() + ": " + message);
    }
  }

  private static String text(Buffer error) {
    ByteBuffer bytes = error.borrow(0, ERROR_BYTES);
    int length = 0;
    while (length < ERROR_BYTES && bytes.get(length) != 0) {
      length++;
    }
    byte[] copy = new byte[length];
    bytes.get(copy);
    return new String(copy, StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    use.close();
  }

  private void destroy() {
    Crema.crema_plan_destroy(handle);
    for (Buffer buffer : bound) {
      if (buffer != null) {
        buffer.release();
      }
    }
    scratch.close();
    table.close();
  }
}
