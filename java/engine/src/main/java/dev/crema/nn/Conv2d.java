package dev.crema.nn;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.op.Window2d;
import java.util.List;

/**
 * Convolution of images (LeCun et al. 1989), channels last: [n, h, w, in] → [n, oh, ow, filters].
 * Parameters: kernel [kh, kw, in / groups, filters], bias [filters].
 *
 * @param filters output channels
 * @param strides null: 1
 * @param padding null: valid
 * @param dilation distance between taps (Yu and Koltun 2016); null: 1
 * @param groups that channels fall into and that see nothing of one another; null: 1
 * @param activation null: linear
 * @param bias null: true
 * @param kernelInitializer null: Glorot uniform
 * @param biasInitializer null: zeros
 * @param kernelRegularizer null: none
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Conv2d(
    int filters,
    Size2d kernel,
    Size2d strides,
    Padding padding,
    Size2d dilation,
    Integer groups,
    Activation activation,
    Boolean bias,
    Initializer kernelInitializer,
    Initializer biasInitializer,
    Regularizer kernelRegularizer)
    implements Layer {
  public Conv2d {
    ConvSettings.requirePositive("filters", filters);
    ConvSettings.requireKernel(kernel);
    strides = strides == null ? Size2d.ONE : strides;
    padding = padding == null ? Padding.VALID : padding;
    dilation = dilation == null ? Size2d.ONE : dilation;
    groups = groups == null ? 1 : groups;
    ConvSettings.requirePositive("groups", groups);
    activation = activation == null ? Activation.LINEAR : activation;
    bias = bias == null ? Boolean.TRUE : bias;
    kernelInitializer = kernelInitializer == null ? Initializer.GLOROT_UNIFORM : kernelInitializer;
    biasInitializer = biasInitializer == null ? Initializer.ZEROS : biasInitializer;
  }

  public static Conv2d of(int filters, int side) {
    return of(filters, side, side);
  }

  public static Conv2d of(int filters, int height, int width) {
    return new Conv2d(
        filters, Size2d.of(height, width), null, null, null, null, null, null, null, null, null);
  }

  public static Conv2d of(int filters, int side, Activation activation) {
    return of(filters, side).withActivation(activation);
  }

  public Conv2d withFilters(int count) {
    return with(count, filter());
  }

  public Conv2d withStrides(int side) {
    return with(Size2d.square(side), padding, dilation, groups);
  }

  public Conv2d withStrides(int height, int width) {
    return with(Size2d.of(height, width), padding, dilation, groups);
  }

  public Conv2d withPadding(Padding zeros) {
    return with(strides, zeros, dilation, groups);
  }

  public Conv2d withDilation(int distance) {
    return with(strides, padding, Size2d.square(distance), groups);
  }

  public Conv2d withDilation(int height, int width) {
    return with(strides, padding, Size2d.of(height, width), groups);
  }

  public Conv2d withGroups(int count) {
    return with(strides, padding, dilation, count);
  }

  public Conv2d withActivation(Activation function) {
    return with(filters, filter().withActivation(function));
  }

  public Conv2d withBias() {
    return with(filters, filter().withBias());
  }

  public Conv2d withoutBias() {
    return with(filters, filter().withoutBias());
  }

  public Conv2d withKernelInitializer(Initializer initializer) {
    return with(filters, filter().withKernelInitializer(initializer));
  }

  public Conv2d withBiasInitializer(Initializer initializer) {
    return with(filters, filter().withBiasInitializer(initializer));
  }

  public Conv2d withKernelRegularizer(Regularizer regularizer) {
    return with(filters, filter().withKernelRegularizer(regularizer));
  }

  private FilterSettings filter() {
    return new FilterSettings(
        activation, bias, kernelInitializer, biasInitializer, kernelRegularizer);
  }

  private Conv2d with(int count, FilterSettings f) {
    return new Conv2d(
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

  private Conv2d with(
      Size2d newStrides, Padding newPadding, Size2d newDilation, Integer newGroups) {
    return new Conv2d(
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
    TensorType type = context.images(x);
    long in = ConvSettings.channelsOfGroup(context, x, groups, filters);
    Node weights = filter().kernel(context, groups, kernel.height(), kernel.width(), in, filters);
    Node b = filter().bias(context, filters);
    Window2d window = padding.window(type, kernel, strides, dilation);
    return activation.apply(x.then(new dev.crema.op.Conv2d(window, groups), weights, b));
  }
}
