package dev.crema.bench.peers;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/** Between Java arrays and tensors of libtorch. All copies. */
final class TorchTensors {
  private TorchTensors() {}

  static Tensor floats(float[] values, long... dims) {
    try (FloatPointer memory = new FloatPointer(values)) {
      return torch.from_blob(memory, dims).clone();
    }
  }

  static Tensor longs(int[] values) {
    long[] wide = new long[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = values[i];
    }
    try (LongPointer memory = new LongPointer(wide)) {
      long[] dims = {wide.length};
      return torch.from_blob(memory, dims, new TensorOptions(torch.ScalarType.Long)).clone();
    }
  }

  /** A convolution's kernel [h, w, in, out] as libtorch has it: [out, in, h, w]. */
  static Tensor kernel(
      float[] values, long height, long width, long in, long out, torch.MemoryFormat layout) {
    return floats(values, height, width, in, out).permute(3, 2, 0, 1).contiguous(layout);
  }

  /** Images [n, h, w, c] as libtorch has them: [n, c, h, w]. */
  static Tensor images(
      float[] values, long n, long height, long width, long channels, torch.MemoryFormat layout) {
    return floats(values, n, height, width, channels).permute(0, 3, 1, 2).contiguous(layout);
  }

  /** Images back to [n, h, w, c]. */
  static float[] channelsLast(Tensor images) {
    return array(images.permute(0, 2, 3, 1));
  }

  static float[] array(Tensor tensor) {
    Tensor dense = tensor.contiguous();
    float[] values = new float[(int) dense.numel()];
    new FloatPointer(dense.data_ptr_float()).capacity(values.length).get(values);
    return values;
  }
}
