package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.DnnCalls;
import dev.crema.device.cuda.kernel.Recurrence;
import dev.crema.device.cuda.kernel.RecurrentLayer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Recurrent layers by cuDNN, by its standard algorithm; those that keep weights on the chip are not
 * said to repeat. Descriptors are kept as long as the device: a recorded graph of the driver's may
 * copy from what they hold. Thread-safe.
 */
final class RecurrentLayers {
  private static final int MOST_KEPT = 1024; // forms beyond are not computed

  /** All that a plan depends on. */
  private record Form(Recurrence layer, boolean tf32) {}

  private final DnnCalls calls;
  private final long handle;
  private final Map<Form, Optional<RecurrentPlan>> plans = new HashMap<>();

  /**
   * The context is current.
   *
   * @throws dev.crema.CremaException if this cuDNN is for another CUDA
   */
  RecurrentLayers(DnnCalls calls) {
    this.calls = calls;
    this.handle = DnnHandle.create(calls);
  }

  /**
   * A layer that only says how much memory it needs, and queues nothing; empty if there is none.
   *
   * @param tf32 whether float32 factors may be rounded to TF32
   */
  Optional<RecurrentLayer> prepare(Recurrence layer, boolean tf32) {
    Form form = new Form(layer, tf32);
    return find(form).map(plan -> new Sized(form));
  }

  /** A layer that queues on a stream; empty if there is none. */
  Optional<RecurrentLayer> on(Recurrence layer, boolean tf32, long stream) {
    Form form = new Form(layer, tf32);
    return find(form).map(plan -> new Queued(form, stream));
  }

  private synchronized Optional<RecurrentPlan> find(Form form) {
    Optional<RecurrentPlan> known = plans.get(form);
    if (known == null && plans.size() == MOST_KEPT) {
      return Optional.empty();
    }
    if (known == null) {
      known = RecurrentPlan.find(calls, handle, form.layer(), form.tf32());
      plans.put(form, known);
    }
    return known;
  }

  /** Which there is. */
  private RecurrentPlan plan(Form form) {
    return find(form).orElseThrow(() -> new IllegalStateException("There was a layer " + form));
  }

  /** Without effect on the device. */
  private class Sized implements RecurrentLayer {
    final Form form;

    Sized(Form form) {
      this.form = form;
    }

    @Override
    public long weightBytes() {
      return plan(form).weightBytes();
    }

    @Override
    public long workspaceBytes(boolean training) {
      return plan(form).workspaceBytes(training);
    }

    @Override
    public long reserveBytes() {
      return plan(form).reserveBytes();
    }

    @Override
    public long[] places(long weights) {
      return new long[4 * form.layer().gates()];
    }

    @Override
    public void forward(Pass pass) {}

    @Override
    public void gradients(Pass pass, Slopes slopes) {}
  }

  /** On a stream. */
  private final class Queued extends Sized {
    private final long stream;

    Queued(Form form, long stream) {
      super(form);
      this.stream = stream;
    }

    @Override
    public long[] places(long weights) {
      synchronized (RecurrentLayers.this) {
        return plan(form).places(handle, weights);
      }
    }

    @Override
    public void forward(Pass pass) {
      synchronized (RecurrentLayers.this) {
        useStream();
        plan(form).forward(handle, pass);
      }
    }

    @Override
    public void gradients(Pass pass, Slopes slopes) {
      synchronized (RecurrentLayers.this) {
        useStream();
        plan(form).gradients(handle, pass, slopes);
      }
    }

    private void useStream() {
      DnnStatus.check(calls, calls.cudnnSetStream(handle, stream), "cudnnSetStream");
    }
  }

  synchronized void close() {
    plans.values().forEach(plan -> plan.ifPresent(RecurrentPlan::close));
    plans.clear();
    calls.cudnnDestroy(handle);
  }
}
