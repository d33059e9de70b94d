package dev.crema.bench.peers;

import dev.crema.bench.Network;
import dev.crema.bench.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * A network with the weights that Crema's has, as functions of libtorch, channels first: with
 * channels last LeNets were not faster beyond noise.
 */
final class TorchNetwork implements AutoCloseable {
  private static final long[] ONE = {1, 1};
  private static final int IMAGE = 28;
  private static final int KERNEL = 5;
  private static final torch.MemoryFormat CHANNELS_FIRST = torch.MemoryFormat.Contiguous;

  private final Network network;
  private final List<Tensor> parameters = new ArrayList<>();

  TorchNetwork(Network network, List<Weights> weights, boolean trained) {
    this.network = network;
    long channels = 0; // of the images before a dense layer
    for (Weights w : weights) {
      float[] values = w.values();
      long[] dims = w.dims();
      Tensor tensor;
      if (dims.length == 4) {
        tensor = TorchTensors.kernel(values, dims[0], dims[1], dims[2], dims[3], CHANNELS_FIRST);
        channels = dims[3];
      } else if (dims.length == 2) {
        tensor = dense(values, dims[0], dims[1], channels);
        channels = 0;
      } else {
        tensor = TorchTensors.floats(values, dims);
      }
      parameters.add(trained ? tensor.set_requires_grad(true) : tensor);
    }
  }

  /** [in, out] to [out, in]; where images come before it, their order too. */
  private static Tensor dense(float[] values, long in, long out, long channels) {
    if (channels == 0) {
      return TorchTensors.floats(values, in, out).t().contiguous();
    }
    return TorchTensors.floats(values, in / channels, channels, out)
        .permute(2, 1, 0)
        .contiguous()
        .view(out, in);
  }

  List<Tensor> parameters() {
    return parameters;
  }

  /** Examples as the network takes them. */
  Tensor input(float[] x, int batch) {
    return network.widths() == null
        ? TorchTensors.images(x, batch, IMAGE, IMAGE, 1, CHANNELS_FIRST)
        : TorchTensors.floats(x, batch, network.inputs());
  }

  Tensor logits(Tensor x) {
    int at = 0;
    if (network.widths() == null) {
      long padding = network == Network.LENET5 ? KERNEL / 2 : 0;
      x = torch.max_pool2d(torch.relu(convolution(x, 0, padding)), 2, 2);
      x = torch.max_pool2d(torch.relu(convolution(x, 2, 0)), 2, 2);
      x = x.flatten(1, -1);
      at = 4;
    }
    for (; at < parameters.size(); at += 2) {
      x = torch.linear(x, parameters.get(at), new TensorOptional(parameters.get(at + 1)));
      if (at + 2 < parameters.size()) {
        x = torch.relu_(x);
      }
    }
    return x;
  }

  private Tensor convolution(Tensor x, int at, long padding) {
    TensorOptional bias = new TensorOptional(parameters.get(at + 1));
    long[] pads = {padding, padding};
    return torch.conv2d(x, parameters.get(at), bias, ONE, pads, ONE, 1);
  }

  @Override
  public void close() {
    parameters.forEach(Tensor::close);
  }
}
