package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.DnnCalls;
import dev.crema.device.cuda.kernel.Convolution;
import dev.crema.device.cuda.kernel.Launches;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Convolutions by cuDNN: images channels last, as Crema's, and filters [outputs, taps, taps,
 * channels], as cuDNN's channels-last kernels read them. By the calls that take descriptors, which
 * every cuDNN 9 has: they need no engine plans to be built and choose among the same kernels for
 * these layouts. Only algorithms whose results repeat to the bit are used. Thread-safe.
 */
final class Convolutions {
  private static final int MOST_KEPT = 256;
  private static final int PROPAGATE_NAN = 1;

  /** All that an algorithm depends on; the convolution is of no memory. */
  private record Form(Convolution convolution, boolean tf32) {}

  private final DnnCalls calls;
  private final long handle;
  private final Map<Form, Optional<ConvolutionPlan>> plans = new LinkedHashMap<>(16, 0.75f, true);
  private final List<ConvolutionPlan.Activation> activations = new ArrayList<>(); // none, ReLU

  /**
   * The context is current.
   *
   * @throws dev.crema.CremaException if this cuDNN is for another CUDA
   */
  Convolutions(DnnCalls calls) {
    this.calls = calls;
    this.handle = DnnHandle.create(calls);
  }

  /**
   * Finds the algorithm and asks for its workspace.
   *
   * @param tf32 whether float32 factors may be rounded to TF32
   */
  void prepare(Convolution c, boolean tf32, Launches scratch) {
    if (c.examples() > 0 && !prepareIfThere(c, tf32, scratch)) {
      throw ConvolutionPlan.missing(calls, c);
    }
  }

  /** As {@link #prepare} of a convolution that is not empty; false if there is no algorithm. */
  boolean prepareIfThere(Convolution c, boolean tf32, Launches scratch) {
    Optional<ConvolutionPlan> plan = find(c, tf32);
    plan.map(ConvolutionPlan::workspace).filter(bytes -> bytes > 0).ifPresent(scratch::scratch);
    return plan.isPresent();
  }

  synchronized void run(Convolution c, boolean tf32, Launches to, long stream) {
    if (c.examples() > 0) {
      plan(c, tf32).run(handle, c, begin(c, tf32, to, stream));
    }
  }

  /** As {@link #run} of a convolution that is not empty; false if there is no algorithm. */
  synchronized boolean runIfThere(Convolution c, boolean tf32, Launches to, long stream) {
    boolean there = find(c, tf32).isPresent();
    if (there) {
      run(c, tf32, to, stream);
    }
    return there;
  }

  /**
   * The same with a bias and perhaps ReLU.
   *
   * @return whether they are applied; else the convolution is as the other
   */
  synchronized boolean run(
      Convolution c, long bias, boolean relu, boolean tf32, Launches to, long stream) {
    if (c.examples() == 0) {
      return true;
    }
    long workspace = begin(c, tf32, to, stream);
    if (plan(c, tf32).run(handle, c, bias, activation(relu), workspace)) {
      return true;
    }
    plan(c, tf32).run(handle, c, workspace);
    return false;
  }

  /** Its workspace. */
  private long begin(Convolution c, boolean tf32, Launches to, long stream) {
    long bytes = plan(c, tf32).workspace();
    DnnStatus.check(calls, calls.cudnnSetStream(handle, stream), "cudnnSetStream");
    return bytes == 0 ? 0 : to.scratch(bytes);
  }

  private ConvolutionPlan.Activation activation(boolean relu) {
    while (activations.size() <= (relu ? 1 : 0)) {
      int mode = activations.isEmpty() ? ConvolutionPlan.IDENTITY : ConvolutionPlan.RELU;
      try (Undo undo = new Undo()) {
        long[] made = new long[1];
        DnnStatus.check(
            calls,
            calls.convolutions().cudnnCreateActivationDescriptor(made),
            "cudnnCreateActivationDescriptor");
        long descriptor = undo.on(made[0], calls.convolutions()::cudnnDestroyActivationDescriptor);
        DnnStatus.check(
            calls,
            calls.convolutions().cudnnSetActivationDescriptor(descriptor, mode, PROPAGATE_NAN, 0),
            "cudnnSetActivationDescriptor");
        undo.keep();
        activations.add(new ConvolutionPlan.Activation(mode, descriptor));
      }
    }
    return activations.get(relu ? 1 : 0);
  }

  private ConvolutionPlan plan(Convolution c, boolean tf32) {
    return find(c, tf32).orElseThrow(() -> ConvolutionPlan.missing(calls, c));
  }

  private synchronized Optional<ConvolutionPlan> find(Convolution c, boolean tf32) {
    Form form = new Form(c.at(0, 0, 0), tf32);
    Optional<ConvolutionPlan> known = plans.get(form);
    if (known == null) {
      known = ConvolutionPlan.find(calls, handle, c, tf32);
      plans.put(form, known);
      if (plans.size() > MOST_KEPT) {
        Form oldest = plans.keySet().iterator().next();
        plans.remove(oldest).ifPresent(ConvolutionPlan::close);
      }
    }
    return known;
  }

  synchronized void close() {
    plans.values().forEach(plan -> plan.ifPresent(ConvolutionPlan::close));
    plans.clear();
    activations.forEach(a -> calls.convolutions().cudnnDestroyActivationDescriptor(a.descriptor()));
    activations.clear();
    calls.cudnnDestroy(handle);
  }
}
