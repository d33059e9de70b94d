package dev.crema.device.cuda.calls;

/**
 * cuDNN's recurrent layers, by the functions of version 8 and later. Lengths of sequences are only
 * in their descriptors, on the host, as it is from 8.9.1 on.
 */
public interface RecurrentCalls {
  int cudnnCreateDropoutDescriptor(long[] descriptor);

  int cudnnDestroyDropoutDescriptor(long descriptor);

  /** Of a probability of 0, which needs no states of random numbers. */
  int cudnnSetDropoutDescriptor(long descriptor, long handle, float probability);

  int cudnnCreateRNNDescriptor(long[] descriptor);

  int cudnnDestroyRNNDescriptor(long descriptor);

  /** cudnnSetRNNDescriptor_v8. */
  int cudnnSetRNNDescriptor(
      long descriptor,
      int algorithm,
      int cellMode,
      int biasMode,
      int directionMode,
      int inputMode,
      int dataType,
      int mathPrecision,
      int mathType,
      int inputSize,
      int hiddenSize,
      int projectionSize,
      int layers,
      long dropout,
      int flags);

  int cudnnCreateRNNDataDescriptor(long[] descriptor);

  int cudnnDestroyRNNDataDescriptor(long descriptor);

  int cudnnSetRNNDataDescriptor(
      long descriptor, int type, int layout, int longest, int batch, int width, int[] lengths);

  /**
   * @param mode 1 for a pass that gradients follow
   */
  int cudnnGetRNNTempSpaceSizes(
      long handle, long rnn, int mode, long xDescriptor, long[] workspace, long[] reserve);

  int cudnnGetRNNWeightSpaceSize(long handle, long rnn, long[] bytes);

  /** Where the matrix and the bias of one gate lie in a space of weights. */
  int cudnnGetRNNWeightParams(
      long handle,
      long rnn,
      int layer,
      long weightBytes,
      long weights,
      int gate,
      long matrixDescriptor,
      long[] matrix,
      long biasDescriptor,
      long[] bias);

  int cudnnRNNForward(
      long handle,
      long rnn,
      int mode,
      long xDescriptor,
      long x,
      long yDescriptor,
      long y,
      long hDescriptor,
      long hx,
      long hy,
      long cDescriptor,
      long cx,
      long cy,
      long weightBytes,
      long weights,
      long workspaceBytes,
      long workspace,
      long reserveBytes,
      long reserve);

  /** cudnnRNNBackwardData_v8. */
  int cudnnRNNBackwardData(
      long handle,
      long rnn,
      long yDescriptor,
      long y,
      long dy,
      long xDescriptor,
      long dx,
      long hDescriptor,
      long hx,
      long dhy,
      long dhx,
      long cDescriptor,
      long cx,
      long dcy,
      long dcx,
      long weightBytes,
      long weights,
      long workspaceBytes,
      long workspace,
      long reserveBytes,
      long reserve);

  /** cudnnRNNBackwardWeights_v8; adds to the gradients that stand there. */
  int cudnnRNNBackwardWeights(
      long handle,
      long rnn,
      int addGradient,
      long xDescriptor,
      long x,
      long hDescriptor,
      long hx,
      long yDescriptor,
      long y,
      long weightBytes,
      long dWeights,
      long workspaceBytes,
      long workspace,
      long reserveBytes,
      long reserve);
}
