package dev.crema.device.cuda.calls;

/**
 * cuDNN's convolutions. The three directions differ in which of x, w and y is computed from the
 * other two.
 */
public interface ConvolutionCalls {
  int cudnnCreateFilterDescriptor(long[] descriptor);

  int cudnnDestroyFilterDescriptor(long descriptor);

  int cudnnSetFilter4dDescriptor(long descriptor, int type, int format, int k, int c, int h, int w);

  int cudnnCreateConvolutionDescriptor(long[] descriptor);

  int cudnnDestroyConvolutionDescriptor(long descriptor);

  int cudnnSetConvolution2dDescriptor(
      long descriptor,
      int padHeight,
      int padWidth,
      int strideHeight,
      int strideWidth,
      int dilationHeight,
      int dilationWidth,
      int mode,
      int computeType);

  int cudnnSetConvolutionGroupCount(long descriptor, int groups);

  int cudnnSetConvolutionMathType(long descriptor, int mathType);

  /**
   * What the library's heuristic gives for y from x and w, the best first, as many as there is room
   * for.
   */
  int cudnnGetConvolutionForwardAlgorithm(
      long handle, long x, long w, long convolution, long y, Algorithms found);

  /** As the other, for x from w and y. */
  int cudnnGetConvolutionBackwardDataAlgorithm(
      long handle, long w, long y, long convolution, long x, Algorithms found);

  /** As the other, for w from x and y. */
  int cudnnGetConvolutionBackwardFilterAlgorithm(
      long handle, long x, long y, long convolution, long w, Algorithms found);

  int cudnnConvolutionForward(
      long handle,
      long xDescriptor,
      long x,
      long wDescriptor,
      long w,
      long convolution,
      int algorithm,
      long workspace,
      long workspaceBytes,
      long yDescriptor,
      long y);

  int cudnnCreateActivationDescriptor(long[] descriptor);

  int cudnnDestroyActivationDescriptor(long descriptor);

  int cudnnSetActivationDescriptor(long descriptor, int mode, int nan, double coefficient);

  /** As cudnnConvolutionForward, y = activation(convolution + bias). */
  int cudnnConvolutionBiasActivationForward(
      long handle,
      long xDescriptor,
      long x,
      long wDescriptor,
      long w,
      long convolution,
      int algorithm,
      long workspace,
      long workspaceBytes,
      long biasDescriptor,
      long bias,
      long activation,
      long yDescriptor,
      long y);

  int cudnnConvolutionBackwardData(
      long handle,
      long wDescriptor,
      long w,
      long yDescriptor,
      long y,
      long convolution,
      int algorithm,
      long workspace,
      long workspaceBytes,
      long xDescriptor,
      long x);

  int cudnnConvolutionBackwardFilter(
      long handle,
      long xDescriptor,
      long x,
      long yDescriptor,
      long y,
      long convolution,
      int algorithm,
      long workspace,
      long workspaceBytes,
      long wDescriptor,
      long w);

  /** Algorithms that a heuristic proposes, at most 16. */
  final class Algorithms {
    /** How many were found. */
    public int count;

    public final int[] algorithm = new int[16];
    public final int[] status = new int[16];
    public final long[] workspace = new long[16];
    public final int[] determinism = new int[16];
    public final int[] mathType = new int[16];
  }
}
