package dev.crema.device.cuda.calls;

/**
 * What Crema uses of cuDNN, by the names of the C functions; as {@link DriverCalls}. Here is what
 * all of it uses; the rest stands by what is computed.
 */
public interface DnnCalls {
  ConvolutionCalls convolutions();

  RecurrentCalls recurrent();

  int cudnnCreate(long[] handle);

  int cudnnDestroy(long handle);

  int cudnnSetStream(long handle, long stream);

  int cudnnCreateTensorDescriptor(long[] descriptor);

  int cudnnDestroyTensorDescriptor(long descriptor);

  int cudnnSetTensor4dDescriptor(long descriptor, int format, int type, int n, int c, int h, int w);

  /** Of any number of axes, each with its stride in elements. */
  int cudnnSetTensorNdDescriptor(long descriptor, int type, int[] dims, int[] strides);

  long cudnnGetVersion();

  /** The CUDA that it was built for, 1000 · major + 10 · minor. */
  long cudnnGetCudartVersion();

  /** The name of a status: {@code CUDNN_STATUS_NOT_SUPPORTED}. */
  String statusName(int status);
}
