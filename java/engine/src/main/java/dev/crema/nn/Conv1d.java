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

  public Conv1d withFilters(int count) {
    return with(count, filter());
  }

  public Conv1d withStrides(int steps) {
    return with(steps, padding, dilation, groups);
  }

  public Conv1d withPadding(Padding zeros) {
    return with(strides, zeros, dilation, groups);
  }

  public Conv1d withDilation(int distance) {
    return with(strides, padding, distance, groups);
  }

  public Conv1d withGroups(int count) {
    return with(strides, padding, dilation, count);
  }

  public Conv1d withActivation(Activation function) {
    return with(filters, filter().withActivation(function));
  }

  public Conv1d withBias() {
    return with(filters, filter().withBias());
  }

  public Conv1d withoutBias() {
    return with(filters, filter().withoutBias());
  }

  public Conv1d withKernelInitializer(Initializer initializer) {
    return with(filters, filter().withKernelInitializer(initializer));
  }

  public Conv1d withBiasInitializer(Initializer initializer) {
    return with(filters, filter().withBiasInitializer(initializer));
  }

  public Conv1d withKernelRegularizer(Regularizer regularizer) {
    return with(filters, filter().withKernelRegularizer(regularizer));
  }

  private FilterSettings filter() {
    return new FilterSettings(
        activation, bias, kernelInitializer, biasInitializer, kernelRegularizer);
  }

  private Conv1d with(int count, FilterSettings f) {
    return new Conv1d(
        count,
        kernel,
        strides,
        padding,
        dilation,
        groups,
        f.activation(),
        f.bias(),
        f.kernelInitializer(),
        f.biasInitializer(),
        f.kernelRegularizer());
  }

  private Conv1d with(
      Integer newStrides, Padding newPadding, Integer newDilation, Integer newGroups) {
    return new Conv1d(
        filters,
        kernel,
        newStrides,
        newPadding,
        newDilation,
        newGroups,
        activation,
        bias,
        kernelInitializer,
        biasInitializer,
        kernelRegularizer);
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    Node x = context.floats(inputs.get(0));
    TensorType type = context.sequences(x);
    long in = ConvSettings.channelsOfGroup(context, x, groups, filters);
    Node weights = filter().kernel(context, groups, kernel, in, filters);
    Node b = filter().bias(context, filters);
    Window2d w =
        padding.window(type, Size2d.of(1, kernel), Size2d.of(1, strides), Size2d.of(1, dilation));
    var op = new dev.crema.op.Conv1d(strides, dilation, w.left(), w.right(), groups);
    return activation.apply(x.then(op, weights, b));
  }
}
