package dev.crema.bench.peers;

import dev.crema.bench.Network;
import dev.crema.bench.Weights;
import java.util.List;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/** A network of Deeplearning4j with the weights that Crema's has. */
final class Dl4jNetwork {
  private static final int IMAGE = 28;

  private Dl4jNetwork() {}

  static MultiLayerNetwork of(Network network, List<Weights> parameters) {
    MultiLayerNetwork made = build(network, parameters);
    made.init();
    int layer = 0;
    int channels = 0; // of the images before a dense layer
    for (int i = 0; i < parameters.size(); i += 2) {
      long[] dims = parameters.get(i).dims();
      float[] kernel = parameters.get(i).values();
      float[] bias = parameters.get(i + 1).values();
      if (dims.length == 4) {
        int taps = (int) (dims[0] * dims[1]);
        float[] values = Layouts.kernel(kernel, taps, (int) dims[2], (int) dims[3]);
        set(made, layer, bias, values, dims[3], dims[2], dims[0], dims[1]);
        channels = (int) dims[3];
        layer += 2; // the pool behind it
      } else {
        if (channels > 0) {
          kernel = Layouts.rows(kernel, (int) dims[0] / channels, channels, (int) dims[1]);
          channels = 0;
        }
        set(made, layer, bias, kernel, dims);
        layer++;
      }
    }
    return made;
  }

  private static MultiLayerNetwork build(Network network, List<Weights> parameters) {
    NeuralNetConfiguration.ListBuilder list =
        new NeuralNetConfiguration.Builder().updater(new Adam(0.001)).list();
    for (int i = 0; i < parameters.size(); i += 2) {
      long[] dims = parameters.get(i).dims();
      int units = (int) dims[dims.length - 1];
      if (dims.length == 4) {
        boolean same = network == Network.LENET5 && i == 0;
        list.layer(convolution((int) dims[0], (int) dims[2], units, same));
        list.layer(new SubsamplingLayer.Builder().kernelSize(2, 2).stride(2, 2).build());
      } else if (i + 2 < parameters.size()) {
        list.layer(
            new DenseLayer.Builder().nIn(dims[0]).nOut(units).activation(Activation.RELU).build());
      } else {
        list.layer(
            new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                .nIn(dims[0])
                .nOut(units)
                .activation(Activation.SOFTMAX)
                .build());
      }
    }
    if (network.widths() == null) {
      list.setInputType(InputType.convolutional(IMAGE, IMAGE, 1));
    }
    return new MultiLayerNetwork(list.build());
  }

  private static ConvolutionLayer convolution(int side, int in, int out, boolean same) {
    return new ConvolutionLayer.Builder(side, side)
        .nIn(in)
        .nOut(out)
        .convolutionMode(same ? ConvolutionMode.Same : ConvolutionMode.Truncate)
        .activation(Activation.RELU)
        .build();
  }

  private static void set(
      MultiLayerNetwork network, int layer, float[] bias, float[] kernel, long... dims) {
    network.setParam(layer + "_W", Nd4j.createFromArray(kernel).reshape(dims));
    network.setParam(layer + "_b", Nd4j.createFromArray(bias).reshape(1, bias.length));
  }

  static INDArray input(Network network, int batch) {
    return shaped(network, network.examples(batch), batch);
  }

  static INDArray shaped(Network network, float[] examples, int batch) {
    INDArray x = Nd4j.createFromArray(examples);
    return network.widths() == null
        ? x.reshape(batch, 1, IMAGE, IMAGE)
        : x.reshape(batch, network.inputs());
  }

  static INDArray oneHot(int[] classes) {
    INDArray target = Nd4j.zeros(classes.length, Network.CLASSES);
    for (int i = 0; i < classes.length; i++) {
      target.putScalar(i, classes[i], 1);
    }
    return target;
  }
}
