package dev.crema.bench;

import dev.crema.nn.Model;
import dev.crema.nn.Quantization;
import dev.crema.pass.LayerQuantization;

/**
 * A dense layer or convolution as Crema's static quantization leaves it, so that every engine
 * computes with the same bytes: ((x - zero point) · kernel + bias) · (scale · kernel's scales).
 *
 * @param scale of the input, uint8
 * @param zeroPoint of the input
 * @param kernel [in, units] or [height, width, in, filters], row-major, int8
 * @param scales of the kernel's outputs, [units]
 * @param bias in steps of the product of the scales, [units]
 * @param dims of the kernel
 */
public record QuantizedLayer(
    float scale, int zeroPoint, byte[] kernel, float[] scales, int[] bias, long... dims) {
  static QuantizedLayer of(Model model, String name, LayerQuantization q) {
    String path = Quantization.kernelOf(model.topology(), name);
    float[] scales = q.weightScales();
    byte[] kernel = bytes(model.get(path), scales);
    float[] biases = model.get(path.substring(0, path.lastIndexOf('/')) + "/bias");
    int[] bias = new int[biases.length];
    for (int j = 0; j < bias.length; j++) {
      bias[j] = (int) Math.rint((double) biases[j] / (q.input().scale() * scales[j]));
    }
    long[] dims = model.table().get(path).type().at(0).dims();
    return new QuantizedLayer(q.input().scale(), q.input().zeroPoint(), kernel, scales, bias, dims);
  }

  /** Weights, outputs last, in steps of their outputs' scales. */
  static byte[] bytes(float[] weights, float[] scales) {
    byte[] bytes = new byte[weights.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) Math.rint(weights[i] / scales[i % scales.length]);
    }
    return bytes;
  }
}
