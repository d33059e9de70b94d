package dev.crema.device.cuda.preset;

import static dev.crema.device.cuda.preset.PresetDnn.context;
import static dev.crema.device.cuda.preset.PresetDnn.tensor;

import dev.crema.device.cuda.calls.ConvolutionCalls;
import org.bytedeco.cuda.cudnn.cudnnActivationStruct;
import org.bytedeco.cuda.cudnn.cudnnConvolutionBwdDataAlgoPerf_t;
import org.bytedeco.cuda.cudnn.cudnnConvolutionBwdFilterAlgoPerf_t;
import org.bytedeco.cuda.cudnn.cudnnConvolutionFwdAlgoPerf_t;
import org.bytedeco.cuda.cudnn.cudnnConvolutionStruct;
import org.bytedeco.cuda.cudnn.cudnnFilterStruct;
import org.bytedeco.cuda.global.cudnn;
import org.bytedeco.javacpp.FloatPointer;

/** cuDNN's convolutions, by the functions with descriptors. */
@SuppressWarnings("deprecation")
final class PresetConvolutions implements ConvolutionCalls {
  private static cudnnFilterStruct filter(long at) {
    return new cudnnFilterStruct(new At(at));
  }

  private static cudnnConvolutionStruct convolution(long at) {
    return new cudnnConvolutionStruct(new At(at));
  }

  @Override
  public int cudnnCreateFilterDescriptor(long[] descriptor) {
    cudnnFilterStruct made = new cudnnFilterStruct();
    int status = cudnn.cudnnCreateFilterDescriptor(made);
    descriptor[0] = made.address();
    return status;
  }

  @Override
  public int cudnnDestroyFilterDescriptor(long descriptor) {
    return cudnn.cudnnDestroyFilterDescriptor(filter(descriptor));
  }

  @Override
  public int cudnnSetFilter4dDescriptor(
      long descriptor, int type, int format, int k, int c, int h, int w) {
    return cudnn.cudnnSetFilter4dDescriptor(filter(descriptor), type, format, k, c, h, w);
  }

  @Override
  public int cudnnCreateConvolutionDescriptor(long[] descriptor) {
    cudnnConvolutionStruct made = new cudnnConvolutionStruct();
    int status = cudnn.cudnnCreateConvolutionDescriptor(made);
    descriptor[0] = made.address();
    return status;
  }

  @Override
  public int cudnnDestroyConvolutionDescriptor(long descriptor) {
    return cudnn.cudnnDestroyConvolutionDescriptor(convolution(descriptor));
  }

  @Override
  public int cudnnSetConvolution2dDescriptor(
      long descriptor,
      int padHeight,
      int padWidth,
      int strideHeight,
      int strideWidth,
      int dilationHeight,
      int dilationWidth,
      int mode,
      int computeType) {
    return cudnn.cudnnSetConvolution2dDescriptor(
        convolution(descriptor),
        padHeight,
        padWidth,
        strideHeight,
        strideWidth,
        dilationHeight,
        dilationWidth,
        mode,
        computeType);
  }

  @Override
  public int cudnnSetConvolutionGroupCount(long descriptor, int groups) {
    return cudnn.cudnnSetConvolutionGroupCount(convolution(descriptor), groups);
  }

  @Override
  public int cudnnSetConvolutionMathType(long descriptor, int mathType) {
    return cudnn.cudnnSetConvolutionMathType(convolution(descriptor), mathType);
  }

  @Override
  public int cudnnGetConvolutionForwardAlgorithm(
      long handle, long x, long w, long convolution, long y, Algorithms found) {
    int most = found.algorithm.length;
    int[] count = new int[1];
    try (cudnnConvolutionFwdAlgoPerf_t all = new cudnnConvolutionFwdAlgoPerf_t(most)) {
      int status =
          cudnn.cudnnGetConvolutionForwardAlgorithm_v7(
              context(handle),
              tensor(x),
              filter(w),
              convolution(convolution),
              tensor(y),
              most,
              count,
              all);
      found.count = status == 0 ? count[0] : 0;
      for (int i = 0; i < found.count; i++) {
        cudnnConvolutionFwdAlgoPerf_t one = all.position(i);
        found.algorithm[i] = one.algo();
        found.status[i] = one.status();
        found.workspace[i] = one.memory();
        found.determinism[i] = one.determinism();
        found.mathType[i] = one.mathType();
      }
      all.position(0);
      return status;
    }
  }

  @Override
  public int cudnnGetConvolutionBackwardDataAlgorithm(
      long handle, long w, long y, long convolution, long x, Algorithms found) {
    int most = found.algorithm.length;
    int[] count = new int[1];
    try (cudnnConvolutionBwdDataAlgoPerf_t all = new cudnnConvolutionBwdDataAlgoPerf_t(most)) {
      int status =
          cudnn.cudnnGetConvolutionBackwardDataAlgorithm_v7(
              context(handle),
              filter(w),
              tensor(y),
              convolution(convolution),
              tensor(x),
              most,
              count,
              all);
      found.count = status == 0 ? count[0] : 0;
      for (int i = 0; i < found.count; i++) {
        cudnnConvolutionBwdDataAlgoPerf_t one = all.position(i);
        found.algorithm[i] = one.algo();
        found.status[i] = one.status();
        found.workspace[i] = one.memory();
        found.determinism[i] = one.determinism();
        found.mathType[i] = one.mathType();
      }
      all.position(0);
      return status;
    }
  }

  @Override
  public int cudnnGetConvolutionBackwardFilterAlgorithm(
      long handle, long x, long y, long convolution, long w, Algorithms found) {
    int most = found.algorithm.length;
    int[] count = new int[1];
    try (cudnnConvolutionBwdFilterAlgoPerf_t all = new cudnnConvolutionBwdFilterAlgoPerf_t(most)) {
      int status =
          cudnn.cudnnGetConvolutionBackwardFilterAlgorithm_v7(
              context(handle),
              tensor(x),
              tensor(y),
              convolution(convolution),
              filter(w),
              most,
              count,
              all);
      found.count = status == 0 ? count[0] : 0;
      for (int i = 0; i < found.count; i++) {
        cudnnConvolutionBwdFilterAlgoPerf_t one = all.position(i);
        found.algorithm[i] = one.algo();
        found.status[i] = one.status();
        found.workspace[i] = one.memory();
        found.determinism[i] = one.determinism();
        found.mathType[i] = one.mathType();
      }
      all.position(0);
      return status;
    }
  }

  @Override
  public int cudnnConvolutionForward(
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
      long y) {
    try (FloatPointer alpha = new FloatPointer(1).put(1);
        FloatPointer beta = new FloatPointer(1).put(0)) {
      return cudnn.cudnnConvolutionForward(
          context(handle),
          alpha,
          tensor(xDescriptor),
          new At(x),
          filter(wDescriptor),
          new At(w),
          convolution(convolution),
          algorithm,
          new At(workspace),
          workspaceBytes,
          beta,
          tensor(yDescriptor),
          new At(y));
    }
  }

  private static cudnnActivationStruct activation(long at) {
    return new cudnnActivationStruct(new At(at));
  }

  @Override
  public int cudnnCreateActivationDescriptor(long[] descriptor) {
    cudnnActivationStruct made = new cudnnActivationStruct();
    int status = cudnn.cudnnCreateActivationDescriptor(made);
    descriptor[0] = made.address();
    return status;
  }

  @Override
  public int cudnnDestroyActivationDescriptor(long descriptor) {
    return cudnn.cudnnDestroyActivationDescriptor(activation(descriptor));
  }

  @Override
  public int cudnnSetActivationDescriptor(long descriptor, int mode, int nan, double coefficient) {
    return cudnn.cudnnSetActivationDescriptor(activation(descriptor), mode, nan, coefficient);
  }

  /** What could be added besides, of y's form, is y itself, times 0. */
  @Override
  public int cudnnConvolutionBiasActivationForward(
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
      long y) {
    try (FloatPointer one = new FloatPointer(1).put(1);
        FloatPointer zero = new FloatPointer(1).put(0)) {
      return cudnn.cudnnConvolutionBiasActivationForward(
          context(handle),
          one,
          tensor(xDescriptor),
          new At(x),
          filter(wDescriptor),
          new At(w),
          convolution(convolution),
          algorithm,
          new At(workspace),
          workspaceBytes,
          zero,
          tensor(yDescriptor),
          new At(y),
          tensor(biasDescriptor),
          new At(bias),
          activation(activation),
          tensor(yDescriptor),
          new At(y));
    }
  }

  @Override
  public int cudnnConvolutionBackwardData(
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
      long x) {
    try (FloatPointer alpha = new FloatPointer(1).put(1);
        FloatPointer beta = new FloatPointer(1).put(0)) {
      return cudnn.cudnnConvolutionBackwardData(
          context(handle),
          alpha,
          filter(wDescriptor),
          new At(w),
          tensor(yDescriptor),
          new At(y),
          convolution(convolution),
          algorithm,
          new At(workspace),
          workspaceBytes,
          beta,
          tensor(xDescriptor),
          new At(x));
    }
  }

  @Override
  public int cudnnConvolutionBackwardFilter(
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
      long w) {
    try (FloatPointer alpha = new FloatPointer(1).put(1);
        FloatPointer beta = new FloatPointer(1).put(0)) {
      return cudnn.cudnnConvolutionBackwardFilter(
          context(handle),
          alpha,
          tensor(xDescriptor),
          new At(x),
          tensor(yDescriptor),
          new At(y),
          convolution(convolution),
          algorithm,
          new At(workspace),
          workspaceBytes,
          beta,
          filter(wDescriptor),
          new At(w));
    }
  }
}
