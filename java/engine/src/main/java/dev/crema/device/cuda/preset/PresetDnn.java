package dev.crema.device.cuda.preset;

import dev.crema.device.cuda.calls.ConvolutionCalls;
import dev.crema.device.cuda.calls.DnnCalls;
import dev.crema.device.cuda.calls.RecurrentCalls;
import org.bytedeco.cuda.cudnn.cudnnContext;
import org.bytedeco.cuda.cudnn.cudnnTensorStruct;
import org.bytedeco.cuda.global.cudnn;

/**
 * cuDNN. Version 9 calls the functions with descriptors deprecated, for its graphs of operations,
 * and has them all the same.
 */
@SuppressWarnings("deprecation")
final class PresetDnn implements DnnCalls {
  private final ConvolutionCalls convolutions = new PresetConvolutions();
  private final RecurrentCalls recurrent = new PresetRecurrent();

  @Override
  public ConvolutionCalls convolutions() {
    return convolutions;
  }

  @Override
  public RecurrentCalls recurrent() {
    return recurrent;
  }

  @Override
  public int cudnnCreate(long[] handle) {
    cudnnContext made = new cudnnContext();
    int status = cudnn.cudnnCreate(made);
    handle[0] = made.address();
    return status;
  }

  @Override
  public int cudnnDestroy(long handle) {
    return cudnn.cudnnDestroy(context(handle));
  }

  @Override
  public int cudnnSetStream(long handle, long stream) {
    return cudnn.cudnnSetStream(context(handle), new At.Stream().set(stream));
  }

  static cudnnContext context(long at) {
    return new cudnnContext(new At(at));
  }

  static cudnnTensorStruct tensor(long at) {
    return new cudnnTensorStruct(new At(at));
  }

  @Override
  public int cudnnCreateTensorDescriptor(long[] descriptor) {
    cudnnTensorStruct made = new cudnnTensorStruct();
    int status = cudnn.cudnnCreateTensorDescriptor(made);
    descriptor[0] = made.address();
    return status;
  }

  @Override
  public int cudnnDestroyTensorDescriptor(long descriptor) {
    return cudnn.cudnnDestroyTensorDescriptor(tensor(descriptor));
  }

  @Override
  public int cudnnSetTensor4dDescriptor(
      long descriptor, int format, int type, int n, int c, int h, int w) {
    return cudnn.cudnnSetTensor4dDescriptor(tensor(descriptor), format, type, n, c, h, w);
  }

  @Override
  public int cudnnSetTensorNdDescriptor(long descriptor, int type, int[] dims, int[] strides) {
    return cudnn.cudnnSetTensorNdDescriptor(tensor(descriptor), type, dims.length, dims, strides);
  }

  @Override
  public long cudnnGetVersion() {
    return cudnn.cudnnGetVersion();
  }

  @Override
  public long cudnnGetCudartVersion() {
    return cudnn.cudnnGetCudartVersion();
  }

  @Override
  public String statusName(int status) {
    return cudnn.cudnnGetErrorString(status).getString();
  }
}
