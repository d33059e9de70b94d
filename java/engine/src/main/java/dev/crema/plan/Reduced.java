package dev.crema.plan;

import dev.crema.CremaException;
import dev.crema.device.Device;
import dev.crema.graph.Precision;
import dev.crema.memory.ElementType;
import dev.crema.pass.Pass;
import dev.crema.pass.Passes;
import dev.crema.pass.StoreHalf;
import java.util.List;

/** How a device computes in less than float32: which passes do it there. */
final class Reduced {
  private Reduced() {}

  /**
   * @param ahead whether the plan has memory for what is computed ahead of its runs
   * @throws CremaException if the device can't compute so
   */
  static List<Pass> passes(List<Pass> passes, Precision precision, Device device, boolean ahead) {
    return switch (precision) {
      case FLOAT32, TF32 -> passes;
      case BFLOAT16 ->
          stores(device, ElementType.BFLOAT16)
              ? stored(passes, ElementType.BFLOAT16, device, ahead)
              : Passes.rounded(passes, precision);
      case FLOAT16 -> {
        if (!stores(device, ElementType.FLOAT16)) {
          throw new CremaException(
              "Precision FLOAT16 needs kernels for float16, but "
                  + device.name()
                  + " ("
                  + device.description()
                  + ") has none. Use BFLOAT16 or FLOAT32 there, or a CUDA device.");
        }
        yield stored(passes, ElementType.FLOAT16, device, ahead);
      }
    };
  }

  /** Without the kernel that casts there is nothing to be had. */
  private static boolean stores(Device device, ElementType type) {
    return device.has("elementwise", type);
  }

  private static List<Pass> stored(
      List<Pass> passes, ElementType type, Device device, boolean ahead) {
    return Passes.stored(passes, new StoreHalf(type, kernel -> device.has(kernel, type), ahead));
  }
}
