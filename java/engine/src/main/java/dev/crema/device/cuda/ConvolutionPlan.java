package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.DnnCalls;
import dev.crema.device.cuda.calls.DnnCalls.Algorithms;
import dev.crema.device.cuda.kernel.Convolution;
import dev.crema.memory.ElementType;

/** One form of convolution with its descriptors and its algorithm. Numbers are cudnn.h's. */
final class ConvolutionPlan {
  private static final int NHWC = 1;
  private static final int FLOAT = 0;
  private static final int HALF = 2;
  private static final int BFLOAT = 9;
  private static final int CROSS_CORRELATION = 1;
  private static final int DETERMINISTIC = 1;
  private static final int DEFAULT_MATH = 0; // with TF32 where the card has it
  private static final int TENSOR_OP_MATH = 1; // factors of 16 bits
  private static final int FMA_MATH = 3;
  private static final int PRECOMPUTED_GEMM = 1; // the algorithm that a bias alone may follow
  private static final int LEAST_REFUSAL = 2000; // a bad parameter, or something unsupported
  private static final int MOST_REFUSAL = 3999;

  static final int RELU = 1;
  static final int IDENTITY = 5;

  /** What follows a convolution and its bias. */
  record Activation(int mode, long descriptor) {}

  private final DnnCalls calls;
  private final long x;
  private final long filter;
  private final long y;
  private final long convolution;
  private final long bias; // of a forward one; 0 of others
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

  static ConvolutionPlan of(DnnCalls calls, long handle, Convolution c, boolean tf32) {
    try (Undo undo = new Undo()) {
      int type = type(c.type());
      long x = tensor(calls, type, c.examples(), c.channels(), c.height(), c.width(), undo);
      long y = tensor(calls, type, c.examples(), c.outputs(), c.rows(), c.columns(), undo);
      long filter = filter(calls, c, undo);
      boolean forward = c.direction() == Convolution.Direction.FORWARD;
      long bias = forward ? tensor(calls, type, 1, c.outputs(), 1, 1, undo) : 0;
      boolean exact = type == FLOAT && !tf32;
      int math = type != FLOAT ? TENSOR_OP_MATH : exact ? FMA_MATH : DEFAULT_MATH;
      long convolution = convolution(calls, c, math, undo);
      Algorithms found = new Algorithms();
      check(calls, heuristic(calls, handle, c, x, filter, y, convolution, found), getter(c));
      for (int i = 0; i < found.count; i++) {
        if (found.status[i] == 0
            && found.determinism[i] == DETERMINISTIC
            && (!exact || found.mathType[i] == FMA_MATH)) {
          check(
              calls,
              calls.cudnnSetConvolutionMathType(convolution, found.mathType[i]),
              "cudnnSetConvolutionMathType");
          undo.keep();
          return new ConvolutionPlan(
              calls, x, filter, y, convolution, bias, found.algorithm[i], found.workspace[i]);
        }
      }
      throw new CudaException(
          getter(c),
          0,
          "cuDNN "
              + calls.cudnnGetVersion()
              + " has no algorithm whose results repeat for "
              + c.at(0, 0, 0));
    }
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
          calls.cudnnGetConvolutionForwardAlgorithm(handle, x, filter, convolution, y, found);
      case INPUT ->
          calls.cudnnGetConvolutionBackwardDataAlgorithm(handle, filter, y, convolution, x, found);
      case FILTER ->
          calls.cudnnGetConvolutionBackwardFilterAlgorithm(
              handle, x, y, convolution, filter, found);
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
      default -> throw new IllegalArgumentException("There are no convolutions of " + element);
    };
  }

  private static long tensor(DnnCalls calls, int type, int n, int c, int h, int w, Undo undo) {
    long[] made = new long[1];
    check(calls, calls.cudnnCreateTensorDescriptor(made), "cudnnCreateTensorDescriptor");
    long tensor = undo.on(made[0], calls::cudnnDestroyTensorDescriptor);
    check(
        calls,
        calls.cudnnSetTensor4dDescriptor(tensor, NHWC, type, n, c, h, w),
        "cudnnSetTensor4dDescriptor");
    return tensor;
  }

  private static long filter(DnnCalls calls, Convolution c, Undo undo) {
    long[] made = new long[1];
    check(calls, calls.cudnnCreateFilterDescriptor(made), "cudnnCreateFilterDescriptor");
    long filter = undo.on(made[0], calls::cudnnDestroyFilterDescriptor);
    check(
        calls,
        calls.cudnnSetFilter4dDescriptor(
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
    check(calls, calls.cudnnCreateConvolutionDescriptor(made), "cudnnCreateConvolutionDescriptor");
    long convolution = undo.on(made[0], calls::cudnnDestroyConvolutionDescriptor);
    check(
        calls,
        calls.cudnnSetConvolution2dDescriptor(
            convolution,
            c.top(),
            c.left(),
            c.strideHeight(),
            c.strideWidth(),
            c.dilationHeight(),
            c.dilationWidth(),
            CROSS_CORRELATION,
            FLOAT),
        "cudnnSetConvolution2dDescriptor");
    check(
        calls,
        calls.cudnnSetConvolutionGroupCount(convolution, c.groups()),
        "cudnnSetConvolutionGroupCount");
    check(
        calls, calls.cudnnSetConvolutionMathType(convolution, math), "cudnnSetConvolutionMathType");
    return convolution;
  }

  long workspace() {
    return workspace;
  }

  void run(long handle, Convolution c, long scratch) {
    switch (c.direction()) {
      case FORWARD ->
          check(
              calls,
              calls.cudnnConvolutionForward(
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
          check(
              calls,
              calls.cudnnConvolutionBackwardData(
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
          check(
              calls,
              calls.cudnnConvolutionBackwardFilter(
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
        calls.cudnnConvolutionBiasActivationForward(
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
    refusesEpilogue = status >= LEAST_REFUSAL && status <= MOST_REFUSAL;
    if (!refusesEpilogue) {
      check(calls, status, "cudnnConvolutionBiasActivationForward");
    }
    return !refusesEpilogue;
  }

  static void check(DnnCalls calls, int status, String call) {
    if (status != 0) {
      throw new CudaException(call, status, call + " gave " + calls.statusName(status));
    }
  }

  void close() {
    calls.cudnnDestroyConvolutionDescriptor(convolution);
    calls.cudnnDestroyFilterDescriptor(filter);
    if (bias != 0) {
      calls.cudnnDestroyTensorDescriptor(bias);
    }
    calls.cudnnDestroyTensorDescriptor(y);
    calls.cudnnDestroyTensorDescriptor(x);
  }
}
