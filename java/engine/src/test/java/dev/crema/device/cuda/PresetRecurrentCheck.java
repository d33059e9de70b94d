package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import dev.crema.device.cuda.kernel.Recurrence;
import dev.crema.device.cuda.kernel.RecurrentLayer;
import dev.crema.device.cuda.kernel.RecurrentLayer.Pass;
import dev.crema.device.cuda.kernel.RecurrentLayer.Slopes;
import org.bytedeco.javacpp.BytePointer;

/**
 * A recurrent layer and its gradients through the preset, on stand-ins whose memory is the host's,
 * against {@link FakeRecurrence}.
 */
final class PresetRecurrentCheck {
  private static final int N = 2;
  private static final int T = 3;
  private static final int FEATURES = 4;
  private static final int UNITS = 5;
  private static final int STATES = N * UNITS;
  private static final int BYTES = 1 << 16;

  private final long memory;
  private final boolean lstm;
  private long taken;

  private PresetRecurrentCheck(long memory, boolean lstm) {
    this.memory = memory;
    this.lstm = lstm;
  }

  static void run(CudaDevice device, boolean lstm) {
    device.context().enter();
    long stream = Streams.create(device.context());
    DeviceMemory.Piece memory = device.memory().allocate(BYTES, "a recurrent layer");
    try {
      Recorder to = new Recorder(device, false, stream, 0, 0);
      new PresetRecurrentCheck(memory.address(), lstm)
          .compare(to.recurrent(new Recurrence(lstm, N, T, FEATURES, UNITS)).orElseThrow());
    } finally {
      memory.close();
      Streams.destroy(device.context(), stream);
    }
  }

  /** Numbers that differ from place to place. */
  private FakeNumbers floats(long count) {
    FakeNumbers all = FakeNumbers.at(memory + taken, FakeNumbers.Type.FLOAT, count);
    taken += (4 * count + 255) / 256 * 256;
    assertThat(taken).isLessThanOrEqualTo(BYTES);
    for (int i = 0; i < count; i++) {
      all.put(i, (float) Math.sin(taken + 0.7 * i));
    }
    return all;
  }

  private FakeNumbers zeros(long count) {
    FakeNumbers all = floats(count);
    for (int i = 0; i < count; i++) {
      all.put(i, 0);
    }
    return all;
  }

  private FakeNumbers cells() {
    return lstm ? floats(STATES) : null;
  }

  private static long at(FakeNumbers numbers) {
    return numbers == null ? 0 : new BytePointer(numbers.memory()).address();
  }

  private static FakeRecurrence.Weights weights(FakeRecurrence of, long[] places) {
    int gates = 2 * of.gates();
    FakeNumbers[] matrices = new FakeNumbers[gates];
    FakeNumbers[] biases = new FakeNumbers[gates];
    for (int g = 0; g < gates; g++) {
      long count = (long) UNITS * of.inputs(g);
      matrices[g] = FakeNumbers.at(places[g], FakeNumbers.Type.FLOAT, count);
      biases[g] = FakeNumbers.at(places[gates + g], FakeNumbers.Type.FLOAT, UNITS);
    }
    return new FakeRecurrence.Weights(matrices, biases);
  }

  private void compare(RecurrentLayer layer) {
    FakeRecurrence right = new FakeRecurrence(lstm, FEATURES, UNITS);
    FakeNumbers x = floats(N * T * FEATURES);
    FakeNumbers h0 = floats(STATES);
    FakeNumbers c0 = cells();
    FakeNumbers space = floats(layer.weightBytes() / 4);
    FakeNumbers slopes = zeros(layer.weightBytes() / 4);
    FakeNumbers reserve = floats(layer.reserveBytes() / 4);
    FakeNumbers workspace = floats(layer.workspaceBytes(true) / 4);
    FakeNumbers y = floats(T * STATES);
    FakeNumbers h = floats(STATES);
    FakeNumbers c = cells();
    FakeNumbers dy = floats(T * STATES);
    FakeNumbers dh = floats(STATES);
    FakeNumbers dc = cells();
    FakeNumbers dx = floats(N * T * FEATURES);
    FakeNumbers dh0 = floats(STATES);
    FakeNumbers dc0 = cells();
    Pass pass =
        new Pass(at(x), at(h0), at(c0), at(y), at(h), at(c), at(space), at(workspace), at(reserve));
    FakeRecurrence.Weights w = weights(right, layer.places(at(space)));
    FakeRecurrence.Weights dw = weights(right, layer.places(at(slopes)));

    FakeNumbers rightY = floats(T * STATES);
    FakeNumbers rightH = floats(STATES);
    FakeNumbers rightC = cells();
    FakeNumbers kept = floats(right.reserve(N, T));
    right.forward(N, T, x, w, h0, c0, new FakeRecurrence.States(rightY, rightH, rightC), kept);
    layer.forward(
        new Pass(at(x), at(h0), at(c0), at(y), at(h), at(c), at(space), at(workspace), 0));
    same(y, rightY);
    poison(y);
    layer.forward(pass);
    same(y, rightY);
    same(h, rightH);
    same(c, rightC);

    FakeNumbers rightX = floats(N * T * FEATURES);
    FakeNumbers rightH0 = floats(STATES);
    FakeNumbers rightC0 = cells();
    right.backward(
        N,
        T,
        w,
        y,
        h0,
        c0,
        new FakeRecurrence.States(dy, dh, dc),
        new FakeRecurrence.States(rightX, rightH0, rightC0),
        kept);
    layer.gradients(pass, new Slopes(at(dy), at(dh), at(dc), at(dx), at(dh0), at(dc0), at(slopes)));
    same(dx, rightX);
    same(dh0, rightH0);
    same(dc0, rightC0);
    FakeNumbers rightSlopes = zeros(layer.weightBytes() / 4);
    right.weightGradients(N, T, x, h0, y, weights(right, layer.places(at(rightSlopes))), kept);
    same(slopes, rightSlopes);
    assertThat(dw.biases()[0].get(0)).isNotZero();
  }

  private static void poison(FakeNumbers y) {
    for (int i = 0; i < y.count(); i++) {
      y.put(i, Float.NaN);
    }
  }

  private static void same(FakeNumbers actual, FakeNumbers expected) {
    for (int i = 0; actual != null && i < actual.count(); i++) {
      assertThat(actual.get(i)).isEqualTo(expected.get(i), offset(1e-5f));
    }
  }
}
