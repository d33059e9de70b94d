package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.ConvolutionCalls;
import dev.crema.device.cuda.calls.DnnCalls;
import dev.crema.device.cuda.calls.RecurrentCalls;
import java.util.HashMap;
import java.util.Map;

/** cuDNN of a {@link FakeCard}: what all of it uses. */
final class FakeDnn implements DnnCalls {
  private static final int NHWC = 1;

  final FakeCard card;
  final Map<Long, int[]> descriptors = new HashMap<>();
  final Map<Long, FakeNumbers.Type> types = new HashMap<>();
  private final FakeConvolutions convolutions = new FakeConvolutions(this);
  private final FakeRecurrent recurrent = new FakeRecurrent(this);
  private final Map<Long, Long> streams = new HashMap<>(); // by handle

  /** The CUDA that it was built for. */
  int cudaVersion = 13010;

  /** Its own. */
  long version = 91900;

  FakeDnn(FakeCard card) {
    this.card = card;
  }

  long stream(long handle) {
    return streams.get(handle);
  }

  int made(String kind, String call, long[] handle) {
    int status = card.call(call);
    if (status == 0) {
      handle[0] = card.make(kind);
    }
    return status;
  }

  int gone(String kind, String call, long handle) {
    card.giveBack(kind, handle);
    descriptors.remove(handle);
    types.remove(handle);
    return card.call(call);
  }

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
    return made("dnn", "cudnnCreate", handle);
  }

  @Override
  public int cudnnDestroy(long handle) {
    return gone("dnn", "cudnnDestroy", handle);
  }

  @Override
  public int cudnnSetStream(long handle, long on) {
    streams.put(handle, on);
    return card.call("cudnnSetStream");
  }

  @Override
  public int cudnnCreateTensorDescriptor(long[] descriptor) {
    return made("tensor", "cudnnCreateTensorDescriptor", descriptor);
  }

  @Override
  public int cudnnDestroyTensorDescriptor(long descriptor) {
    return gone("tensor", "cudnnDestroyTensorDescriptor", descriptor);
  }

  @Override
  public int cudnnSetTensor4dDescriptor(
      long descriptor, int format, int type, int n, int c, int h, int w) {
    requireFormat(format);
    descriptors.put(descriptor, new int[] {n, c, h, w});
    types.put(descriptor, FakeNumbers.Type.ofDnn(type));
    return card.call("cudnnSetTensor4dDescriptor");
  }

  void requireFormat(int format) {
    if (format != NHWC) {
      card.misuses.add("a tensor is not channels last");
    }
  }

  @Override
  public int cudnnSetTensorNdDescriptor(long descriptor, int type, int[] dims, int[] strides) {
    int packed = 1;
    for (int i = dims.length - 1; i >= 0; i--) {
      if (strides[i] != packed) {
        card.misuses.add("a tensor whose rows do not follow one another");
      }
      packed *= dims[i];
    }
    descriptors.put(descriptor, dims.clone());
    types.put(descriptor, FakeNumbers.Type.ofDnn(type));
    return card.call("cudnnSetTensorNdDescriptor");
  }

  @Override
  public long cudnnGetVersion() {
    return version;
  }

  @Override
  public long cudnnGetCudartVersion() {
    return cudaVersion;
  }

  @Override
  public String statusName(int status) {
    return "CUDNN_STATUS_" + status;
  }
}
