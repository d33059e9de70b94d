package dev.crema.device.cuda.preset;

import static dev.crema.device.cuda.preset.PresetDnn.context;
import static dev.crema.device.cuda.preset.PresetDnn.tensor;

import dev.crema.device.cuda.calls.RecurrentCalls;
import org.bytedeco.cuda.cudnn.cudnnDropoutStruct;
import org.bytedeco.cuda.cudnn.cudnnRNNDataStruct;
import org.bytedeco.cuda.cudnn.cudnnRNNStruct;
import org.bytedeco.cuda.global.cudnn;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;

/** cuDNN's recurrent layers. */
final class PresetRecurrent implements RecurrentCalls {
  private static final IntPointer NO_LENGTHS = null; // on the card: those of descriptors count

  private static cudnnDropoutStruct dropout(long at) {
    return new cudnnDropoutStruct(new At(at));
  }

  private static cudnnRNNStruct rnn(long at) {
    return new cudnnRNNStruct(new At(at));
  }

  private static cudnnRNNDataStruct data(long at) {
    return new cudnnRNNDataStruct(new At(at));
  }

  @Override
  public int cudnnCreateDropoutDescriptor(long[] descriptor) {
    cudnnDropoutStruct made = new cudnnDropoutStruct();
    int status = cudnn.cudnnCreateDropoutDescriptor(made);
    descriptor[0] = made.address();
    return status;
  }

  @Override
  public int cudnnDestroyDropoutDescriptor(long descriptor) {
    return cudnn.cudnnDestroyDropoutDescriptor(dropout(descriptor));
  }

  @Override
  public int cudnnSetDropoutDescriptor(long descriptor, long handle, float probability) {
    return cudnn.cudnnSetDropoutDescriptor(
        dropout(descriptor), context(handle), probability, null, 0, 0);
  }

  @Override
  public int cudnnCreateRNNDescriptor(long[] descriptor) {
    cudnnRNNStruct made = new cudnnRNNStruct();
    int status = cudnn.cudnnCreateRNNDescriptor(made);
    descriptor[0] = made.address();
    return status;
  }

  @Override
  public int cudnnDestroyRNNDescriptor(long descriptor) {
    return cudnn.cudnnDestroyRNNDescriptor(rnn(descriptor));
  }

  @Override
  public int cudnnSetRNNDescriptor(
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
      int flags) {
    return cudnn.cudnnSetRNNDescriptor_v8(
        rnn(descriptor),
        algorithm,
        cellMode,
        biasMode,
        directionMode,
        inputMode,
        dataType,
        mathPrecision,
        mathType,
        inputSize,
        hiddenSize,
        projectionSize,
        layers,
        dropout(dropout),
        flags);
  }

  @Override
  public int cudnnCreateRNNDataDescriptor(long[] descriptor) {
    cudnnRNNDataStruct made = new cudnnRNNDataStruct();
    int status = cudnn.cudnnCreateRNNDataDescriptor(made);
    descriptor[0] = made.address();
    return status;
  }

  @Override
  public int cudnnDestroyRNNDataDescriptor(long descriptor) {
    return cudnn.cudnnDestroyRNNDataDescriptor(data(descriptor));
  }

  @Override
  public int cudnnSetRNNDataDescriptor(
      long descriptor, int type, int layout, int longest, int batch, int width, int[] lengths) {
    Pointer nothingToFill = null; // all sequences are as long
    return cudnn.cudnnSetRNNDataDescriptor(
        data(descriptor), type, layout, longest, batch, width, lengths, nothingToFill);
  }

  @Override
  public int cudnnGetRNNTempSpaceSizes(
      long handle, long rnn, int mode, long xDescriptor, long[] workspace, long[] reserve) {
    try (SizeTPointer forWork = new SizeTPointer(1);
        SizeTPointer toKeep = new SizeTPointer(1)) {
      int status =
          cudnn.cudnnGetRNNTempSpaceSizes(
              context(handle), rnn(rnn), mode, data(xDescriptor), forWork.put(0), toKeep.put(0));
      workspace[0] = forWork.get();
      reserve[0] = toKeep.get();
      return status;
    }
  }

  @Override
  public int cudnnGetRNNWeightSpaceSize(long handle, long rnn, long[] bytes) {
    try (SizeTPointer size = new SizeTPointer(1)) {
      int status = cudnn.cudnnGetRNNWeightSpaceSize(context(handle), rnn(rnn), size.put(0));
      bytes[0] = size.get();
      return status;
    }
  }

  @Override
  public int cudnnGetRNNWeightParams(
      long handle,
      long rnn,
      int layer,
      long weightBytes,
      long weights,
      int gate,
      long matrixDescriptor,
      long[] matrix,
      long biasDescriptor,
      long[] bias) {
    try (PointerPointer<Pointer> ofMatrix = new PointerPointer<>(1);
        PointerPointer<Pointer> ofBias = new PointerPointer<>(1)) {
      int status =
          cudnn.cudnnGetRNNWeightParams(
              context(handle),
              rnn(rnn),
              layer,
              weightBytes,
              new At(weights),
              gate,
              tensor(matrixDescriptor),
              ofMatrix.put(0, (Pointer) null),
              tensor(biasDescriptor),
              ofBias.put(0, (Pointer) null));
      matrix[0] = address(ofMatrix);
      bias[0] = address(ofBias);
      return status;
    }
  }

  private static long address(PointerPointer<Pointer> of) {
    Pointer there = of.get(0);
    return there == null ? 0 : there.address();
  }

  @Override
  public int cudnnRNNForward(
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
      long reserve) {
    return cudnn.cudnnRNNForward(
        context(handle),
        rnn(rnn),
        mode,
        NO_LENGTHS,
        data(xDescriptor),
        new At(x),
        data(yDescriptor),
        new At(y),
        tensor(hDescriptor),
        new At(hx),
        new At(hy),
        tensor(cDescriptor),
        new At(cx),
        new At(cy),
        weightBytes,
        new At(weights),
        workspaceBytes,
        new At(workspace),
        reserveBytes,
        new At(reserve));
  }

  @Override
  public int cudnnRNNBackwardData(
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
      long reserve) {
    return cudnn.cudnnRNNBackwardData_v8(
        context(handle),
        rnn(rnn),
        NO_LENGTHS,
        data(yDescriptor),
        new At(y),
        new At(dy),
        data(xDescriptor),
        new At(dx),
        tensor(hDescriptor),
        new At(hx),
        new At(dhy),
        new At(dhx),
        tensor(cDescriptor),
        new At(cx),
        new At(dcy),
        new At(dcx),
        weightBytes,
        new At(weights),
        workspaceBytes,
        new At(workspace),
        reserveBytes,
        new At(reserve));
  }

  @Override
  public int cudnnRNNBackwardWeights(
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
      long reserve) {
    return cudnn.cudnnRNNBackwardWeights_v8(
        context(handle),
        rnn(rnn),
        addGradient,
        NO_LENGTHS,
        data(xDescriptor),
        new At(x),
        tensor(hDescriptor),
        new At(hx),
        data(yDescriptor),
        new At(y),
        weightBytes,
        new At(dWeights),
        workspaceBytes,
        new At(workspace),
        reserveBytes,
        new At(reserve));
  }
}
