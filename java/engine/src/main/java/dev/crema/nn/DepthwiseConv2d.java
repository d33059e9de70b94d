package dev.crema.nn;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.op.Window2d;
import java.util.List;

/**
 * Convolution of each channel by itself (Sifre 2014; Howard et al. 2017): [n, h, w, c] → [n, oh,
 * ow, c · multiplier]. Parameters: kernel [kh, kw, 1, c · multiplier], bias [c · multiplier].
 *
 * @param multiplier output channels for each input channel; null: 1
 * @param strides null: 1
 * @param padding null: valid
 * @param dilation distance between taps; null: 1
 * @param activation null: linear
 * @param bias null: true
 * @param kernelInitializer null: Glorot uniform
 * @param biasInitializer null: zeros
 * @param kernelRegularizer null: none
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record DepthwiseConv2d(
    Size2d kernel,
    Integer multiplier,
    Size2d strides,
    Padding padding,
    Size2d dilation,
    Activation activation,
    Boolean bias,
    Initializer kernelInitializer,
    Initializer biasInitializer,
    Regularizer kernelRegularizer)
    implements Layer {
  public DepthwiseConv2d {
    ConvSettings.requireKernel(kernel);
    multiplier = multiplier == null ? 1 : multiplier;
    ConvSettings.requirePositive("multiplier", multiplier);
    strides = strides == null ? Size2d.ONE : strides;
    padding = padding == null ? Padding.VALID : padding;
    dilation = dilation == null ? Size2d.ONE : dilation;
    activation = activation == null ? Activation.LINEAR : activation;
    bias = bias == null ? Boolean.TRUE : bias;
    kernelInitializer = kernelInitializer == null ? Initializer.GLOROT_UNIFORM : kernelInitializer;
    biasInitializer = biasInitializer == null ? Initializer.ZEROS : biasInitializer;
  }

  public static DepthwiseConv2d of(int side) {
    return of(side, side);
  }

  public static DepthwiseConv2d of(int height, int width) {
    return new DepthwiseConv2d(
        Size2d.of(height, width), null, null, null, null, null, null, null, null, null);
  }

  public DepthwiseConv2d withMultiplier(int channels) {
    return with(channels, strides, padding, dilation);
  }

  public DepthwiseConv2d withStrides(int side) {
    return with(multiplier, Size2d.square(side), padding, dilation);
  }

  public DepthwiseConv2d withStrides(int height, int width) {
    return with(multiplier, Size2d.of(height, width), padding, dilation);
  }

  public DepthwiseConv2d withPadding(Padding zeros) {
    return with(multiplier, strides, zeros, dilation);
  }

  public DepthwiseConv2d withDilation(int distance) {
    return with(multiplier, strides, padding, Size2d.square(distance));
  }

  public DepthwiseConv2d withDilation(int height, int width) {
    return with(multiplier, strides, padding, Size2d.of(height, width));
  }

  public DepthwiseConv2d withActivation(Activation function) {
    return with(filter().withActivation(function));
  }

  public DepthwiseConv2d withBias() {
    return with(filter().withBias());
  }

  public DepthwiseConv2d withoutBias() {
    return with(filter().withoutBias());
  }

  public DepthwiseConv2d withKernelInitializer(Initializer initializer) {
    return with(filter().withKernelInitializer(initializer));
  }

  public DepthwiseConv2d withBiasInitializer(Initializer initializer) {
    return with(filter().withBiasInitializer(initializer));
  }

  public DepthwiseConv2d withKernelRegularizer(Regularizer regularizer) {
    return with(filter().withKernelRegularizer(regularizer));
  }

  private FilterSettings filter() {
    return new FilterSettings(
        activation, bias, kernelInitializer, biasInitializer, kernelRegularizer);
  }

  private DepthwiseConv2d with(FilterSettings f) {
    return new DepthwiseConv2d(
        kernel,
        multiplier,
        strides,
        padding,
        dilation,
        f.activation(),
        f.bias(),
        f.kernelInitializer(),
        f.biasInitializer(),
        f.kernelRegularizer());
  }

  private DepthwiseConv2d with(
      Integer newMultiplier, Size2d newStrides, Padding newPadding, Size2d newDilation) {
    return new DepthwiseConv2d(
        kernel,
        newMultiplier,
        newStrides,
        newPadding,
        newDilation,
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
    int channels = Math.toIntExact(type.extent(-1));
    long filters = (long) channels * multiplier;
    Node weights = filter().kernel(context, channels, kernel.height(), kernel.width(), 1, filters);
    Node b = filter().bias(context, filters);
    Window2d window = padding.window(type, kernel, strides, dilation);
    return activation.apply(x.then(new dev.crema.op.Conv2d(window, channels), weights, b));
  }
}
