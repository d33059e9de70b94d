package dev.crema.nn;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.crema.graph.Application;
import dev.crema.graph.Node;
import java.util.List;

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997): [n, t, features] → [n, units], the last
 * state, or with {@code returnSequences} [n, t, units], every state. Parameters: kernel [features,
 * 4 · units], recurrent_kernel [units, 4 · units], bias [4 · units]; gates in the order input,
 * forget, cell, output (i, f, g, o).
 *
 * @param units elements of the state
 * @param returnSequences null: false
 * @param bias null: true
 * @param kernelInitializer null: Glorot uniform
 * @param recurrentInitializer null: orthogonal
 * @param biasInitializer null: ones for the forget gate, else zeros (Jozefowicz et al. 2015)
 * @param kernelRegularizer of both kernels; null: none
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Lstm(
    int units,
    Boolean returnSequences,
    Boolean bias,
    Initializer kernelInitializer,
    Initializer recurrentInitializer,
    Initializer biasInitializer,
    Regularizer kernelRegularizer)
    implements Layer {
  public Lstm {
    ConvSettings.requirePositive("units", units);
    returnSequences = returnSequences == null ? Boolean.FALSE : returnSequences;
    bias = bias == null ? Boolean.TRUE : bias;
    kernelInitializer = kernelInitializer == null ? Initializer.GLOROT_UNIFORM : kernelInitializer;
    recurrentInitializer =
        recurrentInitializer == null ? Initializer.ORTHOGONAL : recurrentInitializer;
    biasInitializer = biasInitializer == null ? Initializer.FORGET_GATE_ONES : biasInitializer;
  }

  /** Gives the last state. */
  public static Lstm of(int units) {
    return new Lstm(units, null, null, null, null, null, null);
  }

  /** Gives every state. */
  public static Lstm sequences(int units) {
    return new Lstm(units, true, null, null, null, null, null);
  }

  public Lstm withoutBias() {
    return new Lstm(
        units,
        returnSequences,
        false,
        kernelInitializer,
        recurrentInitializer,
        biasInitializer,
        kernelRegularizer);
  }

  public Lstm withKernelRegularizer(Regularizer regularizer) {
    return new Lstm(
        units,
        returnSequences,
        bias,
        kernelInitializer,
        recurrentInitializer,
        biasInitializer,
        regularizer);
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    Node x = context.floats(inputs.get(0));
    long features = context.sequences(x).extent(-1);
    long width = 4L * units;
    Node kernel =
        context.parameter("kernel", kernelInitializer, kernelRegularizer, features, width);
    Node recurrent =
        context.parameter(
            "recurrent_kernel", recurrentInitializer, kernelRegularizer, units, width);
    Node b = bias ? context.parameter("bias", biasInitializer, width) : null;
    Application states =
        context.graph().apply(new dev.crema.op.Lstm(), x, kernel, recurrent, b, null, null);
    return states.output(returnSequences ? 0 : 1);
  }
}
