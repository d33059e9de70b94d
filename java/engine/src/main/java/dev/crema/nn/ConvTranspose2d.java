package dev.crema.nn;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.crema.graph.Node;
import dev.crema.op.FusedActivation;
import dev.crema.op.Window2d;
import java.util.List;

/**
 * Transposed convolution (Zeiler et al. 2010), which makes images bigger: [n, h, w, in] → [n, oh,
 * ow, filters]. Parameters: kernel [kh, kw, filters, in], bias [filters]. With padding {@code same}
 * oh = h · stride, with {@code valid} oh = (h − 1) · stride + kh; explicit padding takes rows and
 * columns away from that, and {@code outputPadding} adds some at the end.
 *
 * @param filters output channels
 * @param strides null: 1
 * @param padding null: valid
 * @param outputPadding rows and columns added at the end, below the stride; null: 0
 * @param activation null: linear
 * @param bias null: true
 * @param kernelInitializer null: Glorot uniform
 * @param biasInitializer null: zeros
 * @param kernelRegularizer null: none
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ConvTranspose2d(
    int filters,
    Size2d kernel,
    Size2d strides,
    Padding padding,
    Integer outputPadding,
    Activation activation,
    Boolean bias,
    Initializer kernelInitializer,
    Initializer biasInitializer,
    Regularizer kernelRegularizer)
    implements Layer {
  public ConvTranspose2d {
    ConvSettings.requirePositive("filters", filters);
    ConvSettings.requireKernel(kernel);
    strides = strides == null ? Size2d.ONE : strides;
    padding = padding == null ? Padding.VALID : padding;
    outputPadding = outputPadding == null ? 0 : outputPadding;
    activation = activation == null ? Activation.LINEAR : activation;
    bias = bias == null ? Boolean.TRUE : bias;
    kernelInitializer = kernelInitializer == null ? Initializer.GLOROT_UNIFORM : kernelInitializer;
    biasInitializer = biasInitializer == null ? Initializer.ZEROS : biasInitializer;
  }

  public static ConvTranspose2d of(int filters, int side, int stride) {
    return new ConvTranspose2d(
        filters,
        Size2d.square(side),
        Size2d.square(stride),
        null,
        null,
        null,
        null,
        null,
        null,
        null);
  }

  public ConvTranspose2d withPadding(Padding zeros) {
    return with(zeros, outputPadding);
  }

  public ConvTranspose2d withOutputPadding(int pixels) {
    return with(padding, pixels);
  }

  public ConvTranspose2d withActivation(Activation function) {
    return with(filter().withActivation(function));
  }

  public ConvTranspose2d withoutBias() {
    return with(filter().withoutBias());
  }

  public ConvTranspose2d withKernelInitializer(Initializer initializer) {
    return with(filter().withKernelInitializer(initializer));
  }

  public ConvTranspose2d withBiasInitializer(Initializer initializer) {
    return with(filter().withBiasInitializer(initializer));
  }

  public ConvTranspose2d withKernelRegularizer(Regularizer regularizer) {
    return with(filter().withKernelRegularizer(regularizer));
  }

  private FilterSettings filter() {
    return new FilterSettings(
        activation, bias, kernelInitializer, biasInitializer, kernelRegularizer);
  }

  private ConvTranspose2d with(FilterSettings f) {
    return new ConvTranspose2d(
        filters,
        kernel,
        strides,
        padding,
        outputPadding,
        f.activation(),
        f.bias(),
        f.kernelInitializer(),
        f.biasInitializer(),
        f.kernelRegularizer());
  }

  private ConvTranspose2d with(Padding newPadding, Integer newOutputPadding) {
    return new ConvTranspose2d(
        filters,
        kernel,
        strides,
        newPadding,
        newOutputPadding,
        activation,
        bias,
        kernelInitializer,
        biasInitializer,
        kernelRegularizer);
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    Node x = context.floats(inputs.get(0));
    long in = context.images(x).extent(-1);
    Node weights = filter().kernel(context, 1, kernel.height(), kernel.width(), filters, in);
    Node b = filter().bias(context, filters);
    return activation.apply(x.then(op(), weights, b));
  }

  private dev.crema.op.ConvTranspose2d op() {
    Window2d window = Window2d.valid(strides.height(), strides.width());
    int moreRows = outputPadding;
    int moreColumns = outputPadding;
    if (padding.mode() == Padding.Mode.SAME) {
      // What exceeds h · stride is cut, an odd row at the end; what lacks is added there.
      int rows = kernel.height() - strides.height();
      int columns = kernel.width() - strides.width();
      moreRows = Math.max(0, -rows);
      moreColumns = Math.max(0, -columns);
      rows = Math.max(0, rows);
      columns = Math.max(0, columns);
      window = window.padded(rows / 2, rows - rows / 2, columns / 2, columns - columns / 2);
    } else if (padding.mode() == Padding.Mode.EXPLICIT) {
      window = window.padded(padding.top(), padding.bottom(), padding.left(), padding.right());
    }
    return new dev.crema.op.ConvTranspose2d(window, moreRows, moreColumns, 1, FusedActivation.NONE);
  }
}
