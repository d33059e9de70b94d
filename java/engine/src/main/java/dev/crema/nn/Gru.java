package dev.crema.nn;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.crema.graph.Application;
import dev.crema.graph.Node;
import java.util.List;

/**
 * Gated recurrent units (Cho et al. 2014), the reset gate acting after the recurrent product: [n,
 * t, features] → [n, units], the last state, or with {@code returnSequences} [n, t, units], every
 * state. Parameters: kernel [features, 3 · units], recurrent_kernel [units, 3 · units], bias [3 ·
 * units], recurrent_bias [3 · units]; gates in the order reset, update, new (r, z, n).
 *
 * @param units elements of the state
 * @param returnSequences null: false
 * @param bias null: true
 * @param kernelInitializer null: Glorot uniform
 * @param recurrentInitializer null: orthogonal
 * @param biasInitializer null: zeros
 * @param kernelRegularizer of both kernels; null: none
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Gru(
    int units,
    Boolean returnSequences,
    Boolean bias,
    Initializer kernelInitializer,
    Initializer recurrentInitializer,
    Initializer biasInitializer,
    Regularizer kernelRegularizer)
    implements Layer {
  public Gru {
    ConvSettings.requirePositive("units", units);
    returnSequences = returnSequences == null ? Boolean.FALSE : returnSequences;
    bias = bias == null ? Boolean.TRUE : bias;
    kernelInitializer = kernelInitializer == null ? Initializer.GLOROT_UNIFORM : kernelInitializer;
    recurrentInitializer =
        recurrentInitializer == null ? Initializer.ORTHOGONAL : recurrentInitializer;
    biasInitializer = biasInitializer == null ? Initializer.ZEROS : biasInitializer;
  }

  /** Gives the last state. */
  public static Gru of(int units) {
    return new Gru(units, null, null, null, null, null, null);
  }

  /** Gives every state. */
  public static Gru sequences(int units) {
    return new Gru(units, true, null, null, null, null, null);
  }

  public Gru withoutBias() {
    return new Gru(
        units,
        returnSequences,
        false,
        kernelInitializer,
        recurrentInitializer,
        biasInitializer,
        kernelRegularizer);
  }

  public Gru withKernelRegularizer(Regularizer regularizer) {
    return new Gru(
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
    long width = 3L * units;
    Node kernel =
        context.parameter("kernel", kernelInitializer, kernelRegularizer, features, width);
    Node recurrent =
        context.parameter(
            "recurrent_kernel", recurrentInitializer, kernelRegularizer, units, width);
    Node b = bias ? context.parameter("bias", biasInitializer, width) : null;
    Node c = bias ? context.parameter("recurrent_bias", biasInitializer, width) : null;
    Application states =
        context.graph().apply(new dev.crema.op.Gru(), x, kernel, recurrent, b, c, null);
    return states.output(returnSequences ? 0 : 1);
  }
}
