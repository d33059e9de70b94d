package dev.crema.op;

import dev.crema.graph.Dim;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * The types around a recurrent layer of {@code gates} gates over x [n, t, features]. The sequence,
 * the kernels and h are of one floating type; biases, cells, gates and the gradients of what is not
 * a sequence are float32.
 *
 * @param x the sequence
 * @param kernel [features, gates · units]
 * @param recurrent [units, gates · units]
 * @param units width of the state
 */
record RecurrentTypes(TensorType x, TensorType kernel, TensorType recurrent, int gates, Dim units) {
  /** Checks the first three inputs of a recurrent op. */
  static RecurrentTypes of(List<TensorType> in, int gates, int inputs) {
    if (in.size() != inputs) {
      throw new ShapeException(
          "takes " + inputs + " inputs (null for an absent one) but gets " + in.size());
    }
    TensorType x = in.get(0).requireFloating("input");
    if (x.rank() != 3) {
      throw new ShapeException("expects a sequence [n, t, features] but gets " + x);
    }
    TensorType recurrent = in.get(2).requireRank(2, "recurrent kernel");
    Dim units = recurrent.dim(0);
    TensorType kernel = in.get(1).requireRank(2, "kernel");
    RecurrentTypes types = new RecurrentTypes(x, kernel, recurrent, gates, units);
    types.require(recurrent, "recurrent kernel", x.element(), units, types.width());
    if (!kernel.dim(0).equals(x.dim(2))) {
      throw new ShapeException(
          "expects "
              + kernel.dim(0)
              + " features but gets "
              + x
              + ". Check the shape of the input before it.");
    }
    types.require(kernel, "kernel", x.element(), kernel.dim(0), types.width());
    return types;
  }

  /** Floats of all gates of one step. */
  Dim width() {
    return units.times(Dim.of(gates));
  }

  /** h: [n, units]. */
  TensorType state() {
    return x.withDims(List.of(x.dim(0), units));
  }

  /** What adds up from step to step, and gradients of states: [n, units] in float32. */
  TensorType wideState() {
    return state().withElement(ElementType.FLOAT32);
  }

  /** h of every step: [n, t, units]. */
  TensorType states() {
    return x.withDims(List.of(x.dim(0), x.dim(1), units));
  }

  /** [n, t, width] in float32. */
  TensorType steps(Dim width) {
    return x.withDims(List.of(x.dim(0), x.dim(1), width)).withElement(ElementType.FLOAT32);
  }

  /** The gradient of a kernel: in float32. */
  TensorType gradient(TensorType kernel) {
    return kernel.withElement(ElementType.FLOAT32);
  }

  /** [gates · units] in float32. */
  TensorType bias() {
    return TensorType.of(ElementType.FLOAT32).withDims(List.of(width()));
  }

  void requireBias(TensorType bias, String what) {
    if (bias != null) {
      require(bias, what, ElementType.FLOAT32, width());
    }
  }

  void requireState(TensorType state, String what) {
    if (state != null) {
      require(state, what, x.element(), x.dim(0), units);
    }
  }

  void requireWideState(TensorType state, String what) {
    if (state != null) {
      require(state, what, ElementType.FLOAT32, x.dim(0), units);
    }
  }

  private void require(TensorType type, String what, ElementType element, Dim... dims) {
    TensorType expected = x.withElement(element).withDims(List.of(dims));
    if (!type.equals(expected)) {
      throw new ShapeException(what + " must be " + expected + " but is " + type);
    }
  }
}
