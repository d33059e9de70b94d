package dev.crema.bench;

import dev.crema.nn.Model;
import dev.crema.nn.Quantization;
import dev.crema.pass.LayerQuantization;

/**
 * A dense layer as Crema's dynamic quantization leaves it: int8 weights, inputs that become bytes
 * as they come.
 *
 * @param kernel [in, units], row-major, int8
 * @param scales of the kernel's columns, [units]
 * @param bias float32, [units]
 * @param dims of the kernel
 */
public record DynamicLayer(byte[] kernel, float[] scales, float[] bias, long... dims) {
  static DynamicLayer of(Model model, String name, LayerQuantization q) {
    String path = Quantization.kernelOf(model.topology(), name);
    byte[] kernel = QuantizedLayer.bytes(model.get(path), q.weightScales());
    float[] bias = model.get(path.substring(0, path.lastIndexOf('/')) + "/bias");
    long[] dims = model.table().get(path).type().at(0).dims();
    return new DynamicLayer(kernel, q.weightScales(), bias, dims);
  }
}
