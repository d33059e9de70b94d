package dev.crema.nn;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.op.Window2d;
import java.util.List;

/**
 * Convolution of sequences, channels last: [n, length, in] → [n, outLength, filters]. Parameters:
 * kernel [k, in / groups, filters], bias [filters].
 *
 * @param filters output channels
 * @param strides null: 1
 * @param padding of its left and right; null: valid
 * @param dilation distance between taps; null: 1
 * @param groups that channels fall into and that see nothing of one another; null: 1
 * @param activation null: linear
 * @param bias null: true
 * @param kernelInitializer null: Glorot uniform
 * @param biasInitializer null: zeros
 * @param kernelRegularizer null: none
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Conv1d(
    int filters,
    int kernel,
    Integer strides,
    Padding padding,
    Integer dilation,
    Integer groups,
    Activation activation,
    Boolean bias,
    Initializer kernelInitializer,
    Initializer biasInitializer,
    Regularizer kernelRegularizer)
    implements Layer {
  public Conv1d {
    ConvSettings.requirePositive("filters", filters);
    ConvSettings.requirePositive("kernel", kernel);
    strides = strides == null ? 1 : strides;
    ConvSettings.requirePositive("strides", strides);
    padding = padding == null ? Padding.VALID : padding;
    dilation = dilation == null ? 1 : dilation;
    ConvSettings.requirePositive("dilation", dilation);
    groups = groups == null ? 1 : groups;
    ConvSettings.requirePositive("groups", groups);
    activation = activation == null ? Activation.LINEAR : activation;
    bias = bias == null ? Boolean.TRUE : bias;
    kernelInitializer = kernelInitializer == null ? Initializer.GLOROT_UNIFORM : kernelInitializer;
    biasInitializer = biasInitializer == null ? Initializer.ZEROS : biasInitializer;
  }

  public static Conv1d of(int filters, int kernel) {
    return new Conv1d(filters, kernel, null, null, null, null, null, null, null, null, null);
  }

  public static Conv1d of(int filters, int kernel, Activation activation) {
    return of(filters, kernel).withActivation(activation);
  }

  public Conv1d withStrides(int steps) {
    return new Conv1d(
        filters,
        kernel,
        steps,
        padding,
        dilation,
        groups,
        activation,
        bias,
        kernelInitializer,
        biasInitializer,
        kernelRegularizer);
  }

  public Conv1d withPadding(Padding zeros) {
    return new Conv1d(
        filters,
        kernel,
        strides,
        zeros,
        dilation,
        groups,
        activation,
        bias,
        kernelInitializer,
        biasInitializer,
        kernelRegularizer);
  }

  public Conv1d withDilation(int distance) {
    return new Conv1d(
        filters,
        kernel,
        strides,
        padding,
        distance,
        groups,
        activation,
        bias,
        kernelInitializer,
        biasInitializer,
        kernelRegularizer);
  }

  public Conv1d withGroups(int count) {
    return new Conv1d(
        filters,
        kernel,
        strides,
        padding,
        dilation,
        count,
        activation,
        bias,
        kernelInitializer,
        biasInitializer,
        kernelRegularizer);
  }

  public Conv1d withActivation(Activation function) {
    return new Conv1d(
        filters,
        kernel,
        strides,
        padding,
        dilation,
        groups,
        function,
        bias,
        kernelInitializer,
        biasInitializer,
        kernelRegularizer);
  }

  public Conv1d withoutBias() {
    return new Conv1d(
        filters,
        kernel,
        strides,
        padding,
        dilation,
        groups,
        activation,
        false,
        kernelInitializer,
        biasInitializer,
        kernelRegularizer);
  }

  public Conv1d withKernelInitializer(Initializer initializer) {
    return new Conv1d(
        filters,
        kernel,
        strides,
        padding,
        dilation,
        groups,
        activation,
        bias,
        initializer,
        biasInitializer,
        kernelRegularizer);
  }

  public Conv1d withBiasInitializer(Initializer initializer) {
    return new Conv1d(
        filters,
        kernel,
        strides,
        padding,
        dilation,
        groups,
        activation,
        bias,
        kernelInitializer,
        initializer,
        kernelRegularizer);
  }

  public Conv1d withKernelRegularizer(Regularizer regularizer) {
    return new Conv1d(
        filters,
        kernel,
        strides,
        padding,
        dilation,
        groups,
        activation,
        bias,
        kernelInitializer,
        biasInitializer,
        regularizer);
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    Node x = context.floats(inputs.get(0));
    TensorType type = context.sequences(x);
    long in = ConvSettings.channelsOfGroup(context, x, groups, filters);
    Node weights =
        context.parameter(
            "kernel",
            ConvSettings.grouped(kernelInitializer, groups),
            kernelRegularizer,
            kernel,
            in,
            filters);
    Node b = bias ? context.parameter("bias", biasInitializer, filters) : null;
    Window2d w =
        padding.window(type, Size2d.of(1, kernel), Size2d.of(1, strides), Size2d.of(1, dilation));
    var op = new dev.crema.op.Conv1d(strides, dilation, w.left(), w.right(), groups);
    return activation.apply(x.then(op, weights, b));
  }
}
