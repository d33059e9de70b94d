package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.ConvolutionCalls.Algorithms;
import dev.crema.device.cuda.calls.DnnCalls;
import dev.crema.device.cuda.kernel.Convolution;
import dev.crema.memory.ElementType;
import java.util.Optional;

/** One form of convolution with its descriptors and its algorithm. Numbers are cudnn.h's. */
final class ConvolutionPlan {
  private static final int NHWC = 1;
  private static final int FLOAT = 0;
  private static final int HALF = 2;
  private static final int BYTE = 3;
  private static final int INT = 4;
  private static final int BFLOAT = 9;
  private static final int CROSS_CORRELATION = 1;
  private static final int DETERMINISTIC = 1;
  private static final int DEFAULT_MATH = 0; // with TF32 where the card has it
  private static final int TENSOR_OP_MATH = 1; // factors of 16 bits
  private static final int FMA_MATH = 3;

  /** The algorithm that a bias alone may follow, and the one that is documented for bytes. */
  private static final int PRECOMPUTED_GEMM = 1;

  static final int RELU = 1;
  static final int IDENTITY = 5;

  /** What follows a convolution and its bias. */
  record Activation(int mode, long descriptor) {}

  private final DnnCalls calls;
  private final long x;
  private final long filter;
  private final long y;
  private final long convolution;
  private final long bias; // of a forward one of floats; 0 of others
  private final int algorithm;
  private final long workspace;
  private boolean refusesEpilogue;

  private ConvolutionPlan(
      DnnCalls calls,
      long x,
      long filter,
      long y,
      long convolution,
      long bias,
      int algorithm,
      long workspace) {
    this.calls = calls;
    this.x = x;
    this.filter = filter;
    this.y = y;
    this.convolution = convolution;
    this.bias = bias;
    this.algorithm = algorithm;
    this.workspace = workspace;
  }

  /**
   * The plan of an algorithm whose results repeat to the bit; of bytes, sums are exact in any
   * order.
   *
   * @return empty if there is none
   */
  static Optional<ConvolutionPlan> find(DnnCalls calls, long handle, Convolution c, boolean tf32) {
    try (Undo undo = new Undo()) {
      boolean bytes = c.type() == ElementType.INT8;
      int type = type(c.type());
      int sums = bytes ? FLOAT : type;
      long x = tensor(calls, type, c.examples(), c.channels(), c.height(), c.width(), undo);
      long y = tensor(calls, sums, c.examples(), c.outputs(), c.rows(), c.columns(), undo);
      long filter = filter(calls, c, undo);
      boolean biased = c.direction() == Convolution.Direction.FORWARD && !bytes;
      long bias = biased ? tensor(calls, type, 1, c.outputs(), 1, 1, undo) : 0;
      boolean exact = type == FLOAT && !tf32;
      int math = type != FLOAT ? TENSOR_OP_MATH : exact ? FMA_MATH : DEFAULT_MATH;
      long convolution = convolution(calls, c, math, undo);
      Algorithms found = new Algorithms();
      int status = heuristic(calls, handle, c, x, filter, y, convolution, found);
      if (bytes && DnnStatus.isRefusal(status)) {
        return Optional.empty();
      }
      DnnStatus.check(calls, status, getter(c));
      for (int i = 0; i < found.count; i++) {
        if (found.status[i] == 0
            && (bytes
                ? found.algorithm[i] == PRECOMPUTED_GEMM
                : found.determinism[i] == DETERMINISTIC)
            && (!exact || found.mathType[i] == FMA_MATH)) {
          DnnStatus.check(
              calls,
              calls.convolutions().cudnnSetConvolutionMathType(convolution, found.mathType[i]),
              "cudnnSetConvolutionMathType");
          undo.keep();
          return Optional.of(
              new ConvolutionPlan(
                  calls, x, filter, y, convolution, bias, found.algorithm[i], found.workspace[i]));
        }
      }
      return Optional.empty();
    }
  }

  /** What to say where {@link #find} has found none. */
  static CudaException missing(DnnCalls calls, Convolution c) {
    return new CudaException(
        getter(c),
        0,
        "cuDNN "
            + calls.cudnnGetVersion()
            + " has no algorithm whose results repeat for "
            + c.at(0, 0, 0));
  }

  private static int heuristic(
      DnnCalls calls,
      long handle,
      Convolution c,
      long x,
      long filter,
      long y,
      long convolution,
      Algorithms found) {
    return switch (c.direction()) {
      case FORWARD ->
          calls
              .convolutions()
              .cudnnGetConvolutionForwardAlgorithm(handle, x, filter, convolution, y, found);
      case INPUT ->
          calls
              .convolutions()
              .cudnnGetConvolutionBackwardDataAlgorithm(handle, filter, y, convolution, x, found);
      case FILTER ->
          calls
              .convolutions()
              .cudnnGetConvolutionBackwardFilterAlgorithm(handle, x, y, convolution, filter, found);
    };
  }

  private static String getter(Convolution c) {
    return switch (c.direction()) {
      case FORWARD -> "cudnnGetConvolutionForwardAlgorithm_v7";
      case INPUT -> "cudnnGetConvolutionBackwardDataAlgorithm_v7";
      case FILTER -> "cudnnGetConvolutionBackwardFilterAlgorithm_v7";
    };
  }

  private static int type(ElementType element) {
    return switch (element) {
      case FLOAT32 -> FLOAT;
      case FLOAT16 -> HALF;
      case BFLOAT16 -> BFLOAT;
      case INT8 -> BYTE;
      default -> throw new IllegalArgumentException("There are no convolutions of " + element);
    };
  }

  private static long tensor(DnnCalls calls, int type, int n, int c, int h, int w, Undo undo) {
    long[] made = new long[1];
    DnnStatus.check(calls, calls.cudnnCreateTensorDescriptor(made), "cudnnCreateTensorDescriptor");
    long tensor = undo.on(made[0], calls::cudnnDestroyTensorDescriptor);
    DnnStatus.check(
        calls,
        calls.cudnnSetTensor4dDescriptor(tensor, NHWC, type, n, c, h, w),
        "cudnnSetTensor4dDescriptor");
    return tensor;
  }

  private static long filter(DnnCalls calls, Convolution c, Undo undo) {
    long[] made = new long[1];
    DnnStatus.check(
        calls,
        calls.convolutions().cudnnCreateFilterDescriptor(made),
        "cudnnCreateFilterDescriptor");
    long filter = undo.on(made[0], calls.convolutions()::cudnnDestroyFilterDescriptor);
    DnnStatus.check(
        calls,
        calls
            .convolutions()
            .cudnnSetFilter4dDescriptor(
                filter,
                type(c.type()),
                NHWC,
                c.outputs(),
                c.channels() / c.groups(),
                c.tapRows(),
                c.tapColumns()),
        "cudnnSetFilter4dDescriptor");
    return filter;
  }

  private static long convolution(DnnCalls calls, Convolution c, int math, Undo undo) {
    long[] made = new long[1];
    DnnStatus.check(
        calls,
        calls.convolutions().cudnnCreateConvolutionDescriptor(made),
        "cudnnCreateConvolutionDescriptor");
    long convolution = undo.on(made[0], calls.convolutions()::cudnnDestroyConvolutionDescriptor);
    DnnStatus.check(
        calls,
        calls
            .convolutions()
            .cudnnSetConvolution2dDescriptor(
                convolution,
                c.top(),
                c.left(),
                c.strideHeight(),
                c.strideWidth(),
                c.dilationHeight(),
                c.dilationWidth(),
                CROSS_CORRELATION,
                c.type() == ElementType.INT8 ? INT : FLOAT),
        "cudnnSetConvolution2dDescriptor");
    DnnStatus.check(
        calls,
        calls.convolutions().cudnnSetConvolutionGroupCount(convolution, c.groups()),
        "cudnnSetConvolutionGroupCount");
    DnnStatus.check(
        calls,
        calls.convolutions().cudnnSetConvolutionMathType(convolution, math),
        "cudnnSetConvolutionMathType");
    return convolution;
  }

  long workspace() {
    return workspace;
  }

  void run(long handle, Convolution c, long scratch) {
    switch (c.direction()) {
      case FORWARD ->
          DnnStatus.check(
              calls,
              calls
                  .convolutions()
                  .cudnnConvolutionForward(
                      handle,
                      x,
                      c.x(),
                      filter,
                      c.filter(),
                      convolution,
                      algorithm,
                      scratch,
                      workspace,
                      y,
                      c.y()),
              "cudnnConvolutionForward");
      case INPUT ->
          DnnStatus.check(
              calls,
              calls
                  .convolutions()
                  .cudnnConvolutionBackwardData(
                      handle,
                      filter,
                      c.filter(),
                      y,
                      c.y(),
                      convolution,
                      algorithm,
                      scratch,
                      workspace,
                      x,
                      c.x()),
              "cudnnConvolutionBackwardData");
      case FILTER ->
          DnnStatus.check(
              calls,
              calls
                  .convolutions()
                  .cudnnConvolutionBackwardFilter(
                      handle,
                      x,
                      c.x(),
                      y,
                      c.y(),
                      convolution,
                      algorithm,
                      scratch,
                      workspace,
                      filter,
                      c.filter()),
              "cudnnConvolutionBackwardFilter");
    }
  }

  /**
   * Forward, with a bias and an activation in the same sweep.
   *
   * @param at address of the bias
   * @return false where cuDNN has no kernel for it: nothing has been queued
   */
  boolean run(long handle, Convolution c, long at, Activation after, long scratch) {
    if (refusesEpilogue || after.mode() == IDENTITY && algorithm != PRECOMPUTED_GEMM) {
      return false;
    }
    int status =
        calls
            .convolutions()
            .cudnnConvolutionBiasActivationForward(
                handle,
                x,
                c.x(),
                filter,
                c.filter(),
                convolution,
                algorithm,
                scratch,
                workspace,
                bias,
                at,
                after.descriptor(),
                y,
                c.y());
    refusesEpilogue = DnnStatus.isRefusal(status);
    if (!refusesEpilogue) {
      DnnStatus.check(calls, status, "cudnnConvolutionBiasActivationForward");
    }
    return !refusesEpilogue;
  }

  void close() {
    calls.convolutions().cudnnDestroyConvolutionDescriptor(convolution);
    calls.convolutions().cudnnDestroyFilterDescriptor(filter);
    if (bias != 0) {
      calls.cudnnDestroyTensorDescriptor(bias);
    }
    calls.cudnnDestroyTensorDescriptor(y);
    calls.cudnnDestroyTensorDescriptor(x);
  }
}
