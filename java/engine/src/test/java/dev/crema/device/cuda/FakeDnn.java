package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.DnnCalls;
import dev.crema.natives.Crema;
import java.util.HashMap;
import java.util.Map;

/**
 * cuDNN of a {@link FakeCard}: convolutions by plain loops, as its documentation defines them, in
 * double.
 */
final class FakeDnn implements DnnCalls {
  private static final int NHWC = 1;
  private static final long WORKSPACE = 1 << 10;

  private final FakeCard card;
  private final Map<Long, int[]> descriptors = new HashMap<>();
  private final Map<Long, FakeNumbers.Type> types = new HashMap<>();
  private final Map<Long, Integer> groups = new HashMap<>();
  private final Map<Long, Long> streams = new HashMap<>(); // by handle
  private long stream;

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

  private int made(String kind, String call, long[] handle) {
    int status = card.call(call);
    if (status == 0) {
      handle[0] = card.make(kind);
    }
    return status;
  }

  private int gone(String kind, String call, long handle) {
    card.giveBack(kind, handle);
    descriptors.remove(handle);
    types.remove(handle);
    return card.call(call);
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
    stream = on;
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

  private void requireFormat(int format) {
    if (format != NHWC) {
      card.misuses.add("a tensor is not channels last");
    }
  }

  @Override
  public int cudnnCreateFilterDescriptor(long[] descriptor) {
    return made("filter", "cudnnCreateFilterDescriptor", descriptor);
  }

  @Override
  public int cudnnDestroyFilterDescriptor(long descriptor) {
    return gone("filter", "cudnnDestroyFilterDescriptor", descriptor);
  }

  @Override
  public int cudnnSetFilter4dDescriptor(
      long descriptor, int type, int format, int k, int c, int h, int w) {
    requireFormat(format);
    descriptors.put(descriptor, new int[] {k, c, h, w});
    types.put(descriptor, FakeNumbers.Type.ofDnn(type));
    return card.call("cudnnSetFilter4dDescriptor");
  }

  @Override
  public int cudnnCreateConvolutionDescriptor(long[] descriptor) {
    return made("convolution", "cudnnCreateConvolutionDescriptor", descriptor);
  }

  @Override
  public int cudnnDestroyConvolutionDescriptor(long descriptor) {
    return gone("convolution", "cudnnDestroyConvolutionDescriptor", descriptor);
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
    if (computeType != 0) {
      card.misuses.add("a convolution that does not sum in float32");
    }
    if (mode != 1) {
      card.misuses.add("a convolution that turns its filter");
    }
    descriptors.put(
        descriptor,
        new int[] {padHeight, padWidth, strideHeight, strideWidth, dilationHeight, dilationWidth});
    return card.call("cudnnSetConvolution2dDescriptor");
  }

  @Override
  public int cudnnSetConvolutionGroupCount(long descriptor, int count) {
    groups.put(descriptor, count);
    return card.call("cudnnSetConvolutionGroupCount");
  }

  @Override
  public int cudnnSetConvolutionMathType(long descriptor, int mathType) {
    return card.call("cudnnSetConvolutionMathType " + mathType);
  }

  private int find(String call, Algorithms found) {
    found.count = 3;
    found.status[0] = 3000; // not supported
    found.mathType[0] = 3;
    found.determinism[0] = 1;
    found.mathType[1] = 3;
    found.determinism[1] = 0; // does not repeat
    found.algorithm[2] = 1;
    found.workspace[2] = WORKSPACE;
    found.mathType[2] = 3;
    found.determinism[2] = 1;
    return card.call(call);
  }

  @Override
  public int cudnnGetConvolutionForwardAlgorithm(
      long handle, long x, long w, long convolution, long y, Algorithms found) {
    requireExtents(x, w, convolution, y);
    return find("cudnnGetConvolutionForwardAlgorithm_v7", found);
  }

  @Override
  public int cudnnGetConvolutionBackwardDataAlgorithm(
      long handle, long w, long y, long convolution, long x, Algorithms found) {
    requireExtents(x, w, convolution, y);
    return find("cudnnGetConvolutionBackwardDataAlgorithm_v7", found);
  }

  @Override
  public int cudnnGetConvolutionBackwardFilterAlgorithm(
      long handle, long x, long y, long convolution, long w, Algorithms found) {
    requireExtents(x, w, convolution, y);
    return find("cudnnGetConvolutionBackwardFilterAlgorithm_v7", found);
  }

  /** The extents that cudnnGetConvolution2dForwardOutputDim is documented to give. */
  private void requireExtents(long x, long w, long convolution, long y) {
    int[] dx = descriptors.get(x);
    int[] dw = descriptors.get(w);
    int[] dy = descriptors.get(y);
    int[] c = descriptors.get(convolution);
    for (int axis = 0; axis < 2; axis++) {
      int expected =
          1
              + Math.floorDiv(
                  dx[2 + axis] + 2 * c[axis] - ((dw[2 + axis] - 1) * c[4 + axis] + 1), c[2 + axis]);
      if (expected != dy[2 + axis]) {
        card.misuses.add("a convolution gives " + expected + " pixels, not " + dy[2 + axis]);
      }
    }
    if (dw[1] * groups.get(convolution) != dx[1] || dw[0] != dy[1]) {
      card.misuses.add("a filter's channels are not those of the images");
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
    return queue(
        "cudnnConvolutionForward",
        xDescriptor,
        x,
        wDescriptor,
        w,
        convolution,
        workspace,
        yDescriptor,
        y,
        0);
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
    return queue(
        "cudnnConvolutionBackwardData",
        xDescriptor,
        x,
        wDescriptor,
        w,
        convolution,
        workspace,
        yDescriptor,
        y,
        1);
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
    return queue(
        "cudnnConvolutionBackwardFilter",
        xDescriptor,
        x,
        wDescriptor,
        w,
        convolution,
        workspace,
        yDescriptor,
        y,
        2);
  }

  @Override
  public int cudnnCreateActivationDescriptor(long[] descriptor) {
    return made("activation", "cudnnCreateActivationDescriptor", descriptor);
  }

  @Override
  public int cudnnDestroyActivationDescriptor(long descriptor) {
    return gone("activation", "cudnnDestroyActivationDescriptor", descriptor);
  }

  @Override
  public int cudnnSetActivationDescriptor(long descriptor, int mode, int nan, double coefficient) {
    if (nan != 1) {
      card.misuses.add("an activation that hides NaN");
    }
    descriptors.put(descriptor, new int[] {mode});
    return card.call("cudnnSetActivationDescriptor");
  }

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
    if (card.refusesEpilogues) {
      card.call("cudnnConvolutionBiasActivationForward refused");
      return 3000;
    }
    int mode = descriptors.get(activation)[0];
    if (mode != 1 && (mode != 5 || algorithm != 1)) {
      card.misuses.add("an epilogue " + mode + " of algorithm " + algorithm);
    }
    int[] dims = descriptors.get(biasDescriptor);
    if (dims[1] != descriptors.get(yDescriptor)[1]
        || types.get(biasDescriptor) != types.get(yDescriptor)) {
      card.misuses.add("a bias that is not y's");
    }
    return queue(
        "cudnnConvolutionBiasActivationForward",
        xDescriptor,
        x,
        wDescriptor,
        w,
        convolution,
        workspace,
        yDescriptor,
        y,
        0,
        bias,
        mode == 1);
  }

  private int queue(
      String call,
      long xd,
      long x,
      long wd,
      long w,
      long convolution,
      long workspace,
      long yd,
      long y,
      int direction) {
    return queue(call, xd, x, wd, w, convolution, workspace, yd, y, direction, 0, false);
  }

  private int queue(
      String call,
      long xd,
      long x,
      long wd,
      long w,
      long convolution,
      long workspace,
      long yd,
      long y,
      int direction,
      long bias,
      boolean relu) {
    int[] dx = descriptors.get(xd);
    int[] dw = descriptors.get(wd);
    int[] dy = descriptors.get(yd);
    int[] c = descriptors.get(convolution);
    int count = groups.get(convolution);
    FakeNumbers.Type type = types.get(xd);
    if (types.get(wd) != type || types.get(yd) != type) {
      card.misuses.add("a convolution of several types");
    }
    return card.fakeDriver()
        .queue(
            call,
            stream,
            () -> {
              Crema.crema_fill(workspace, 0xFF, WORKSPACE);
              FakeNumbers vx = numbers(x, type, dx);
              FakeNumbers vw = numbers(w, type, dw);
              FakeNumbers vy = numbers(y, type, dy);
              FakeNumbers vb = bias == 0 ? null : FakeNumbers.at(bias, type, dy[1]);
              compute(direction, vx, dx, vw, dw, vy, dy, c, count, vb, relu);
            });
  }

  private static void compute(
      int direction,
      FakeNumbers vx,
      int[] dx,
      FakeNumbers vw,
      int[] dw,
      FakeNumbers vy,
      int[] dy,
      int[] c,
      int groups,
      FakeNumbers bias,
      boolean relu) {
    FakeNumbers result = direction == 0 ? vy : direction == 1 ? vx : vw;
    double[] sums = new double[result.count()];
    int outsPerGroup = dw[0] / groups;
    for (int n = 0; n < dx[0]; n++) {
      for (int i = 0; i < dy[2]; i++) {
        for (int j = 0; j < dy[3]; j++) {
          for (int out = 0; out < dw[0]; out++) {
            for (int r = 0; r < dw[2]; r++) {
              for (int s = 0; s < dw[3]; s++) {
                int row = i * c[2] - c[0] + r * c[4];
                int column = j * c[3] - c[1] + s * c[5];
                if (row < 0 || row >= dx[2] || column < 0 || column >= dx[3]) {
                  continue;
                }
                for (int in = 0; in < dw[1]; in++) {
                  int channel = out / outsPerGroup * dw[1] + in;
                  int ax = ((n * dx[2] + row) * dx[3] + column) * dx[1] + channel;
                  int aw = ((out * dw[2] + r) * dw[3] + s) * dw[1] + in;
                  int ay = ((n * dy[2] + i) * dy[3] + j) * dy[1] + out;
                  switch (direction) {
                    case 0 -> sums[ay] += (double) vx.get(ax) * vw.get(aw);
                    case 1 -> sums[ax] += (double) vy.get(ay) * vw.get(aw);
                    default -> sums[aw] += (double) vx.get(ax) * vy.get(ay);
                  }
                }
              }
            }
          }
        }
      }
    }
    for (int i = 0; i < sums.length; i++) {
      double sum = bias == null ? sums[i] : sums[i] + bias.get(i % dy[1]);
      result.put(i, (float) (relu && sum < 0 ? 0 : sum));
    }
  }

  private static FakeNumbers numbers(long address, FakeNumbers.Type type, int[] dims) {
    return FakeNumbers.at(address, type, (long) dims[0] * dims[1] * dims[2] * dims[3]);
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
