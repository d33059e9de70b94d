package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.DnnCalls;
import dev.crema.device.cuda.kernel.Recurrence;
import dev.crema.device.cuda.kernel.RecurrentLayer.Pass;
import dev.crema.device.cuda.kernel.RecurrentLayer.Slopes;
import java.util.Arrays;
import java.util.Optional;

/** One form of recurrent layer with its descriptors. Numbers are cudnn.h's. */
final class RecurrentPlan {
  private static final int STANDARD = 0; // the algorithm
  private static final int LSTM = 2;
  private static final int GRU = 3;
  private static final int DOUBLE_BIAS = 2;
  private static final int UNIDIRECTIONAL = 0;
  private static final int LINEAR_INPUT = 0;
  private static final int FLOAT = 0;
  private static final int DEFAULT_MATH = 0; // with TF32 where the card has it
  private static final int FMA_MATH = 3;
  private static final int PADDED_IO = 1; // which layouts that are not packed need
  private static final int BATCH_MAJOR = 2;
  private static final int INFERENCE = 0;
  private static final int TRAINING = 1;
  private static final int ADD = 0;

  private final DnnCalls calls;
  private final Recurrence of;
  private final long rnn;
  private final long dropout;
  private final long x;
  private final long y;
  private final long state;
  private final long matrix; // of a gate, and its bias: the library says what they are
  private final long bias;
  private final long weightBytes;
  private final long[] workspace; // without gradients, with them
  private final long reserve;

  private RecurrentPlan(
      DnnCalls calls, Recurrence of, Descriptors d, long weightBytes, long[] work, long reserve) {
    this.calls = calls;
    this.of = of;
    this.rnn = d.rnn;
    this.dropout = d.dropout;
    this.x = d.x;
    this.y = d.y;
    this.state = d.state;
    this.matrix = d.matrix;
    this.bias = d.bias;
    this.weightBytes = weightBytes;
    this.workspace = work;
    this.reserve = reserve;
  }

  /** What is made before the library is asked whether it has such a layer. */
  private static final class Descriptors {
    long dropout;
    long rnn;
    long x;
    long y;
    long state;
    long matrix;
    long bias;
  }

  /** Empty if the library has no such layer. */
  static Optional<RecurrentPlan> find(DnnCalls calls, long handle, Recurrence of, boolean tf32) {
    try (Undo undo = new Undo()) {
      Descriptors d = new Descriptors();
      d.dropout = dropout(calls, handle, undo);
      d.rnn = layer(calls, of, tf32, d.dropout, undo);
      if (d.rnn == 0) {
        return Optional.empty();
      }
      d.x = sequence(calls, of, of.features(), undo);
      d.y = sequence(calls, of, of.units(), undo);
      d.state = tensor(calls, undo);
      DnnStatus.check(
          calls,
          calls.cudnnSetTensorNdDescriptor(
              d.state,
              FLOAT,
              new int[] {1, of.n(), of.units()},
              new int[] {of.n() * of.units(), of.units(), 1}),
          "cudnnSetTensorNdDescriptor");
      d.matrix = tensor(calls, undo);
      d.bias = tensor(calls, undo);
      long[] weights = new long[1];
      long[] reserve = new long[1];
      long[] first = new long[1];
      long[] second = new long[1];
      boolean there =
          accepts(
                  calls,
                  calls.recurrent().cudnnGetRNNWeightSpaceSize(handle, d.rnn, weights),
                  "cudnnGetRNNWeightSpaceSize")
              && accepts(
                  calls,
                  calls
                      .recurrent()
                      .cudnnGetRNNTempSpaceSizes(handle, d.rnn, INFERENCE, d.x, first, reserve),
                  "cudnnGetRNNTempSpaceSizes")
              && accepts(
                  calls,
                  calls
                      .recurrent()
                      .cudnnGetRNNTempSpaceSizes(handle, d.rnn, TRAINING, d.x, second, reserve),
                  "cudnnGetRNNTempSpaceSizes");
      if (!there) {
        return Optional.empty();
      }
      undo.keep();
      return Optional.of(
          new RecurrentPlan(
              calls, of, d, weights[0], new long[] {first[0], second[0]}, reserve[0]));
    }
  }

  /** False where the library refuses; another failure is one. */
  private static boolean accepts(DnnCalls calls, int status, String call) {
    if (DnnStatus.isRefusal(status)) {
      return false;
    }
    DnnStatus.check(calls, status, call);
    return true;
  }

  private static long dropout(DnnCalls calls, long handle, Undo undo) {
    long[] made = new long[1];
    DnnStatus.check(
        calls,
        calls.recurrent().cudnnCreateDropoutDescriptor(made),
        "cudnnCreateDropoutDescriptor");
    long dropout = undo.on(made[0], calls.recurrent()::cudnnDestroyDropoutDescriptor);
    DnnStatus.check(
        calls,
        calls.recurrent().cudnnSetDropoutDescriptor(dropout, handle, 0),
        "cudnnSetDropoutDescriptor");
    return dropout;
  }

  /** 0 if the library refuses it. */
  private static long layer(DnnCalls calls, Recurrence of, boolean tf32, long dropout, Undo undo) {
    long[] made = new long[1];
    DnnStatus.check(
        calls, calls.recurrent().cudnnCreateRNNDescriptor(made), "cudnnCreateRNNDescriptor");
    long rnn = undo.on(made[0], calls.recurrent()::cudnnDestroyRNNDescriptor);
    int status =
        calls
            .recurrent()
            .cudnnSetRNNDescriptor(
                rnn,
                STANDARD,
                of.lstm() ? LSTM : GRU,
                DOUBLE_BIAS,
                UNIDIRECTIONAL,
                LINEAR_INPUT,
                FLOAT,
                FLOAT,
                tf32 ? DEFAULT_MATH : FMA_MATH,
                of.features(),
                of.units(),
                of.units(),
                1,
                dropout,
                PADDED_IO);
    return accepts(calls, status, "cudnnSetRNNDescriptor_v8") ? rnn : 0;
  }

  private static long sequence(DnnCalls calls, Recurrence of, int width, Undo undo) {
    long[] made = new long[1];
    DnnStatus.check(
        calls,
        calls.recurrent().cudnnCreateRNNDataDescriptor(made),
        "cudnnCreateRNNDataDescriptor");
    long sequence = undo.on(made[0], calls.recurrent()::cudnnDestroyRNNDataDescriptor);
    int[] lengths = new int[of.n()];
    Arrays.fill(lengths, of.t());
    DnnStatus.check(
        calls,
        calls
            .recurrent()
            .cudnnSetRNNDataDescriptor(
                sequence, FLOAT, BATCH_MAJOR, of.t(), of.n(), width, lengths),
        "cudnnSetRNNDataDescriptor");
    return sequence;
  }

  private static long tensor(DnnCalls calls, Undo undo) {
    long[] made = new long[1];
    DnnStatus.check(calls, calls.cudnnCreateTensorDescriptor(made), "cudnnCreateTensorDescriptor");
    return undo.on(made[0], calls::cudnnDestroyTensorDescriptor);
  }

  long weightBytes() {
    return weightBytes;
  }

  long workspaceBytes(boolean training) {
    return workspace[training ? 1 : 0];
  }

  long reserveBytes() {
    return reserve;
  }

  long[] places(long handle, long weights) {
    int gates = 2 * of.gates();
    long[] places = new long[2 * gates];
    long[] ofMatrix = new long[1];
    long[] ofBias = new long[1];
    for (int gate = 0; gate < gates; gate++) {
      DnnStatus.check(
          calls,
          calls
              .recurrent()
              .cudnnGetRNNWeightParams(
                  handle, rnn, 0, weightBytes, weights, gate, matrix, ofMatrix, bias, ofBias),
          "cudnnGetRNNWeightParams");
      places[gate] = ofMatrix[0];
      places[gates + gate] = ofBias[0];
    }
    return places;
  }

  void forward(long handle, Pass p) {
    boolean training = p.reserve() != 0;
    DnnStatus.check(
        calls,
        calls
            .recurrent()
            .cudnnRNNForward(
                handle,
                rnn,
                training ? TRAINING : INFERENCE,
                x,
                p.x(),
                y,
                p.y(),
                state,
                p.h0(),
                p.h(),
                cell(),
                p.c0(),
                p.c(),
                weightBytes,
                p.weights(),
                workspaceBytes(training),
                p.workspace(),
                training ? reserve : 0,
                p.reserve()),
        "cudnnRNNForward");
  }

  void gradients(long handle, Pass p, Slopes s) {
    DnnStatus.check(
        calls,
        calls
            .recurrent()
            .cudnnRNNBackwardData(
                handle,
                rnn,
                y,
                p.y(),
                s.dy(),
                x,
                s.dx(),
                state,
                p.h0(),
                s.dh(),
                s.dh0(),
                cell(),
                p.c0(),
                s.dc(),
                s.dc0(),
                weightBytes,
                p.weights(),
                workspaceBytes(true),
                p.workspace(),
                reserve,
                p.reserve()),
        "cudnnRNNBackwardData_v8");
    DnnStatus.check(
        calls,
        calls
            .recurrent()
            .cudnnRNNBackwardWeights(
                handle,
                rnn,
                ADD,
                x,
                p.x(),
                state,
                p.h0(),
                y,
                p.y(),
                weightBytes,
                s.dWeights(),
                workspaceBytes(true),
                p.workspace(),
                reserve,
                p.reserve()),
        "cudnnRNNBackwardWeights_v8");
  }

  /** A GRU has no cells. */
  private long cell() {
    return of.lstm() ? state : 0;
  }

  void close() {
    calls.cudnnDestroyTensorDescriptor(bias);
    calls.cudnnDestroyTensorDescriptor(matrix);
    calls.cudnnDestroyTensorDescriptor(state);
    calls.recurrent().cudnnDestroyRNNDataDescriptor(y);
    calls.recurrent().cudnnDestroyRNNDataDescriptor(x);
    calls.recurrent().cudnnDestroyRNNDescriptor(rnn);
    calls.recurrent().cudnnDestroyDropoutDescriptor(dropout);
  }
}
