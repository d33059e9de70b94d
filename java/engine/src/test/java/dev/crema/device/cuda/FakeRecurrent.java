package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.RecurrentCalls;
import dev.crema.natives.Crema;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Recurrent layers by cuDNN's documented equations, with its documented order of gates, in double.
 * Where weights lie in their space is the library's own affair: here the last gate comes first,
 * behind a gap.
 */
final class FakeRecurrent implements RecurrentCalls {
  private static final long WORKSPACE = 256;
  private static final int GAP = 5; // floats before each matrix and bias
  private static final int REFUSED = 3000;

  private final FakeDnn dnn;
  private final Map<Long, FakeRecurrence> layers = new HashMap<>();
  private final Map<Long, int[]> sequences = new HashMap<>(); // steps, examples, width

  FakeRecurrent(FakeDnn dnn) {
    this.dnn = dnn;
  }

  @Override
  public int cudnnCreateDropoutDescriptor(long[] descriptor) {
    return dnn.made("dropout", "cudnnCreateDropoutDescriptor", descriptor);
  }

  @Override
  public int cudnnDestroyDropoutDescriptor(long descriptor) {
    return dnn.gone("dropout", "cudnnDestroyDropoutDescriptor", descriptor);
  }

  @Override
  public int cudnnSetDropoutDescriptor(long descriptor, long handle, float probability) {
    if (probability != 0) {
      dnn.card.misuses.add("dropout without states");
    }
    return dnn.card.call("cudnnSetDropoutDescriptor");
  }

  @Override
  public int cudnnCreateRNNDescriptor(long[] descriptor) {
    return dnn.made("rnn", "cudnnCreateRNNDescriptor", descriptor);
  }

  @Override
  public int cudnnDestroyRNNDescriptor(long descriptor) {
    layers.remove(descriptor);
    return dnn.gone("rnn", "cudnnDestroyRNNDescriptor", descriptor);
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
      int count,
      long dropout,
      int flags) {
    dnn.card.require("dropout", dropout);
    int[] expected = {0, 2, 0, 0, 0, 0, hiddenSize, 1, 1};
    int[] given = {
      algorithm,
      biasMode,
      directionMode,
      inputMode,
      dataType,
      mathPrecision,
      projectionSize,
      count,
      flags
    };
    if (!Arrays.equals(expected, given) || cellMode != 2 && cellMode != 3) {
      dnn.card.misuses.add("a recurrent layer " + Arrays.toString(given));
    }
    layers.put(descriptor, new FakeRecurrence(cellMode == 2, inputSize, hiddenSize));
    if (dnn.card.refusesRecurrent) {
      dnn.card.call("cudnnSetRNNDescriptor_v8 refused");
      return REFUSED;
    }
    return dnn.card.call("cudnnSetRNNDescriptor_v8 " + mathType);
  }

  @Override
  public int cudnnCreateRNNDataDescriptor(long[] descriptor) {
    return dnn.made("sequence", "cudnnCreateRNNDataDescriptor", descriptor);
  }

  @Override
  public int cudnnDestroyRNNDataDescriptor(long descriptor) {
    sequences.remove(descriptor);
    return dnn.gone("sequence", "cudnnDestroyRNNDataDescriptor", descriptor);
  }

  @Override
  public int cudnnSetRNNDataDescriptor(
      long descriptor, int type, int layout, int longest, int batch, int width, int[] lengths) {
    boolean whole = Arrays.stream(lengths).allMatch(each -> each == longest);
    if (type != 0 || layout != 2 || lengths.length != batch || !whole) {
      dnn.card.misuses.add("sequences of several lengths, or not by examples");
    }
    sequences.put(descriptor, new int[] {longest, batch, width});
    return dnn.card.call("cudnnSetRNNDataDescriptor");
  }

  @Override
  public int cudnnGetRNNTempSpaceSizes(
      long handle, long rnn, int mode, long xDescriptor, long[] workspace, long[] reserve) {
    int[] x = sequences.get(xDescriptor);
    workspace[0] = WORKSPACE * (1 + mode);
    reserve[0] = mode == 0 ? 0 : 4L * layers.get(rnn).reserve(x[1], x[0]);
    return dnn.card.call("cudnnGetRNNTempSpaceSizes");
  }

  @Override
  public int cudnnGetRNNWeightSpaceSize(long handle, long rnn, long[] bytes) {
    bytes[0] = weightBytes(layers.get(rnn));
    return dnn.card.call("cudnnGetRNNWeightSpaceSize");
  }

  private static long weightBytes(FakeRecurrence of) {
    return biasOf(of, 0, 0) + 4L * of.units();
  }

  /** The last gate's comes first. */
  private static long matrixOf(FakeRecurrence of, long weights, int gate) {
    int gates = of.gates();
    long floats = GAP;
    for (int g = 2 * gates - 1; g > gate; g--) {
      floats += GAP + (long) of.units() * of.inputs(g);
    }
    return weights + 4 * floats;
  }

  private static long biasOf(FakeRecurrence of, long weights, int gate) {
    long matrices = matrixOf(of, 0, 0) / 4 + (long) of.units() * of.inputs(0);
    long before = (2L * of.gates() - 1 - gate) * (GAP + of.units());
    return weights + 4 * (matrices + GAP + before);
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
    FakeRecurrence of = layers.get(rnn);
    requireWeights(of, weightBytes);
    dnn.card.require("tensor", matrixDescriptor);
    dnn.card.require("tensor", biasDescriptor);
    if (layer != 0 || gate < 0 || gate >= 2 * of.gates()) {
      dnn.card.misuses.add("there is no gate " + gate + " of layer " + layer);
    }
    matrix[0] = matrixOf(of, weights, gate);
    bias[0] = biasOf(of, weights, gate);
    return dnn.card.call("cudnnGetRNNWeightParams");
  }

  private void requireWeights(FakeRecurrence of, long bytes) {
    if (bytes != weightBytes(of)) {
      dnn.card.misuses.add("a space of weights of " + bytes + " bytes");
    }
  }

  private static FakeNumbers floats(long address, long count) {
    return address == 0 ? null : FakeNumbers.at(address, FakeNumbers.Type.FLOAT, count);
  }

  private static FakeRecurrence.Weights weights(FakeRecurrence of, long at) {
    FakeNumbers[] matrices = new FakeNumbers[2 * of.gates()];
    FakeNumbers[] biases = new FakeNumbers[2 * of.gates()];
    for (int g = 0; g < matrices.length; g++) {
      matrices[g] = floats(matrixOf(of, at, g), (long) of.units() * of.inputs(g));
      biases[g] = floats(biasOf(of, at, g), of.units());
    }
    return new FakeRecurrence.Weights(matrices, biases);
  }

  private void requireState(FakeRecurrence of, long descriptor, int n, boolean lstmOnly) {
    if (lstmOnly && !of.lstm()) {
      if (descriptor != 0) {
        dnn.card.misuses.add("a GRU with cells");
      }
    } else if (!Arrays.equals(dnn.descriptors.get(descriptor), new int[] {1, n, of.units()})) {
      dnn.card.misuses.add("a state that is not [1, n, units]");
    }
  }

  private void requireSpaces(
      FakeRecurrence of, int mode, int[] x, long workspaceBytes, long reserveBytes) {
    long reserve = mode == 0 ? 0 : 4L * of.reserve(x[1], x[0]);
    if (workspaceBytes != WORKSPACE * (1 + mode) || reserveBytes != reserve) {
      dnn.card.misuses.add("spaces of " + workspaceBytes + " and " + reserveBytes + " bytes");
    }
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
    FakeRecurrence of = layers.get(rnn);
    int[] d = sequences.get(xDescriptor);
    int n = d[1];
    int t = d[0];
    requireWeights(of, weightBytes);
    requireState(of, hDescriptor, n, false);
    requireState(of, cDescriptor, n, true);
    requireSpaces(of, mode, d, workspaceBytes, reserveBytes);
    return dnn.card
        .fakeDriver()
        .queue(
            "cudnnRNNForward",
            dnn.stream(handle),
            () -> {
              Crema.crema_fill(workspace, 0xFF, workspaceBytes);
              long states = (long) n * of.units();
              of.forward(
                  n,
                  t,
                  floats(x, (long) n * t * d[2]),
                  weights(of, weights),
                  floats(hx, states),
                  floats(cx, states),
                  new FakeRecurrence.States(
                      floats(y, t * states), floats(hy, states), floats(cy, states)),
                  floats(reserve, reserveBytes / 4));
            });
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
    FakeRecurrence of = layers.get(rnn);
    int[] d = sequences.get(xDescriptor);
    int n = d[1];
    int t = d[0];
    requireWeights(of, weightBytes);
    requireState(of, hDescriptor, n, false);
    requireState(of, cDescriptor, n, true);
    requireSpaces(of, 1, d, workspaceBytes, reserveBytes);
    return dnn.card
        .fakeDriver()
        .queue(
            "cudnnRNNBackwardData",
            dnn.stream(handle),
            () -> {
              Crema.crema_fill(workspace, 0xFF, workspaceBytes);
              long states = (long) n * of.units();
              of.backward(
                  n,
                  t,
                  weights(of, weights),
                  floats(y, t * states),
                  floats(hx, states),
                  floats(cx, states),
                  new FakeRecurrence.States(
                      floats(dy, t * states), floats(dhy, states), floats(dcy, states)),
                  new FakeRecurrence.States(
                      floats(dx, (long) n * t * d[2]), floats(dhx, states), floats(dcx, states)),
                  floats(reserve, reserveBytes / 4));
            });
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
    FakeRecurrence of = layers.get(rnn);
    int[] d = sequences.get(xDescriptor);
    int n = d[1];
    int t = d[0];
    requireWeights(of, weightBytes);
    requireState(of, hDescriptor, n, false);
    requireSpaces(of, 1, d, workspaceBytes, reserveBytes);
    if (addGradient != 0) {
      dnn.card.misuses.add("gradients of weights are only added");
    }
    return dnn.card
        .fakeDriver()
        .queue(
            "cudnnRNNBackwardWeights",
            dnn.stream(handle),
            () -> {
              Crema.crema_fill(workspace, 0xFF, workspaceBytes);
              long states = (long) n * of.units();
              of.weightGradients(
                  n,
                  t,
                  floats(x, (long) n * t * d[2]),
                  floats(hx, states),
                  floats(y, t * states),
                  weights(of, dWeights),
                  floats(reserve, reserveBytes / 4));
            });
  }
}
