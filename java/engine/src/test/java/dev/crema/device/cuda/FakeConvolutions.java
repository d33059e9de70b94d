package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.ConvolutionCalls;
import dev.crema.natives.Crema;
import java.util.HashMap;
import java.util.Map;

/** Convolutions by plain loops, as cuDNN's documentation defines them, in double. */
final class FakeConvolutions implements ConvolutionCalls {
  private static final long WORKSPACE = 1 << 10;

  private final FakeDnn dnn;
  private final Map<Long, Integer> groups = new HashMap<>();
  private final Map<Long, FakeNumbers.Type> sums = new HashMap<>();

  FakeConvolutions(FakeDnn dnn) {
    this.dnn = dnn;
  }

  @Override
  public int cudnnCreateFilterDescriptor(long[] descriptor) {
    return dnn.made("filter", "cudnnCreateFilterDescriptor", descriptor);
  }

  @Override
  public int cudnnDestroyFilterDescriptor(long descriptor) {
    return dnn.gone("filter", "cudnnDestroyFilterDescriptor", descriptor);
  }

  @Override
  public int cudnnSetFilter4dDescriptor(
      long descriptor, int type, int format, int k, int c, int h, int w) {
    dnn.requireFormat(format);
    dnn.descriptors.put(descriptor, new int[] {k, c, h, w});
    dnn.types.put(descriptor, FakeNumbers.Type.ofDnn(type));
    return dnn.card.call("cudnnSetFilter4dDescriptor");
  }

  @Override
  public int cudnnCreateConvolutionDescriptor(long[] descriptor) {
    return dnn.made("convolution", "cudnnCreateConvolutionDescriptor", descriptor);
  }

  @Override
  public int cudnnDestroyConvolutionDescriptor(long descriptor) {
    return dnn.gone("convolution", "cudnnDestroyConvolutionDescriptor", descriptor);
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
    sums.put(descriptor, FakeNumbers.Type.ofDnn(computeType));
    if (mode != 1) {
      dnn.card.misuses.add("a convolution that turns its filter");
    }
    dnn.descriptors.put(
        descriptor,
        new int[] {padHeight, padWidth, strideHeight, strideWidth, dilationHeight, dilationWidth});
    return dnn.card.call("cudnnSetConvolution2dDescriptor");
  }

  @Override
  public int cudnnSetConvolutionGroupCount(long descriptor, int count) {
    groups.put(descriptor, count);
    return dnn.card.call("cudnnSetConvolutionGroupCount");
  }

  @Override
  public int cudnnSetConvolutionMathType(long descriptor, int mathType) {
    return dnn.card.call("cudnnSetConvolutionMathType " + mathType);
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
    return dnn.card.call(call);
  }

  @Override
  public int cudnnGetConvolutionForwardAlgorithm(
      long handle, long x, long w, long convolution, long y, Algorithms found) {
    requireExtents(x, w, convolution, y);
    requireTypes(x, w, convolution, y);
    int status = find("cudnnGetConvolutionForwardAlgorithm_v7", found);
    return dnn.types.get(x) == FakeNumbers.Type.BYTE ? ofBytes(x, status, found) : status;
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

  /** There is one algorithm, for channels in fours, whose sums are in order whatever it says. */
  private int ofBytes(long x, int status, Algorithms found) {
    boolean there = dnn.card.byteConvolutions > 0 && dnn.descriptors.get(x)[1] % 4 == 0;
    found.status[2] = there ? 0 : 3000;
    found.mathType[2] = 1;
    found.determinism[2] = 0;
    return status == 0 && dnn.card.byteConvolutions < 0 ? 3000 : status;
  }

  /** INT8_EXT_CONFIG, or all of one type with sums of float32. */
  private void requireTypes(long x, long w, long convolution, long y) {
    FakeNumbers.Type type = dnn.types.get(x);
    boolean bytes = type == FakeNumbers.Type.BYTE;
    FakeNumbers.Type result = bytes ? FakeNumbers.Type.FLOAT : type;
    FakeNumbers.Type sum = bytes ? FakeNumbers.Type.INT : FakeNumbers.Type.FLOAT;
    if (dnn.types.get(w) != type || dnn.types.get(y) != result || sums.get(convolution) != sum) {
      dnn.card.misuses.add("a convolution of several types");
    }
  }

  /** The extents that cudnnGetConvolution2dForwardOutputDim is documented to give. */
  private void requireExtents(long x, long w, long convolution, long y) {
    int[] dx = dnn.descriptors.get(x);
    int[] dw = dnn.descriptors.get(w);
    int[] dy = dnn.descriptors.get(y);
    int[] c = dnn.descriptors.get(convolution);
    for (int axis = 0; axis < 2; axis++) {
      int expected =
          1
              + Math.floorDiv(
                  dx[2 + axis] + 2 * c[axis] - ((dw[2 + axis] - 1) * c[4 + axis] + 1), c[2 + axis]);
      if (expected != dy[2 + axis]) {
        dnn.card.misuses.add("a convolution gives " + expected + " pixels, not " + dy[2 + axis]);
      }
    }
    if (dw[1] * groups.get(convolution) != dx[1] || dw[0] != dy[1]) {
      dnn.card.misuses.add("a filter's channels are not those of the images");
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
        handle,
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
        handle,
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
        handle,
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
    return dnn.made("activation", "cudnnCreateActivationDescriptor", descriptor);
  }

  @Override
  public int cudnnDestroyActivationDescriptor(long descriptor) {
    return dnn.gone("activation", "cudnnDestroyActivationDescriptor", descriptor);
  }

  @Override
  public int cudnnSetActivationDescriptor(long descriptor, int mode, int nan, double coefficient) {
    if (nan != 1) {
      dnn.card.misuses.add("an activation that hides NaN");
    }
    dnn.descriptors.put(descriptor, new int[] {mode});
    return dnn.card.call("cudnnSetActivationDescriptor");
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
    if (dnn.card.refusesEpilogues) {
      dnn.card.call("cudnnConvolutionBiasActivationForward refused");
      return 3000;
    }
    int mode = dnn.descriptors.get(activation)[0];
    if (mode != 1 && (mode != 5 || algorithm != 1)) {
      dnn.card.misuses.add("an epilogue " + mode + " of algorithm " + algorithm);
    }
    int[] dims = dnn.descriptors.get(biasDescriptor);
    if (dims[1] != dnn.descriptors.get(yDescriptor)[1]
        || dnn.types.get(biasDescriptor) != dnn.types.get(yDescriptor)) {
      dnn.card.misuses.add("a bias that is not y's");
    }
    return queue(
        handle,
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
      long handle,
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
    return queue(handle, call, xd, x, wd, w, convolution, workspace, yd, y, direction, 0, false);
  }

  private int queue(
      long handle,
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
    int[] dx = dnn.descriptors.get(xd);
    int[] dw = dnn.descriptors.get(wd);
    int[] dy = dnn.descriptors.get(yd);
    int[] c = dnn.descriptors.get(convolution);
    int count = groups.get(convolution);
    FakeNumbers.Type type = dnn.types.get(xd);
    FakeNumbers.Type result = dnn.types.get(yd);
    requireTypes(xd, wd, convolution, yd);
    return dnn.card
        .fakeDriver()
        .queue(
            call,
            dnn.stream(handle),
            () -> {
              Crema.crema_fill(workspace, 0xFF, WORKSPACE);
              FakeNumbers vx = numbers(x, type, dx);
              FakeNumbers vw = numbers(w, type, dw);
              FakeNumbers vy = numbers(y, result, dy);
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
}
