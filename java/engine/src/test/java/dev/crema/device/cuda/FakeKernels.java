package dev.crema.device.cuda;

import dev.crema.device.cuda.kernel.Arguments;
import dev.crema.natives.Memory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Crema's kernels on a {@link FakeCard}: some in Java here, the others through the emulation. */
final class FakeKernels {
  /** One launch with copies of its arguments. */
  interface Launch {
    void run();
  }

  /** A kernel in Java. */
  interface Body {
    /**
     * @param arguments as the kernel takes them, 8 bytes each
     */
    void run(long[] arguments);
  }

  private record Kernel(String signature, Body body) {}

  private static final long SEED = 7;

  private final Map<String, Kernel> java = new ConcurrentHashMap<>();

  /** Kernels that are launched and do nothing. */
  final Set<String> lost = ConcurrentHashMap.newKeySet();

  /**
   * @param signature a letter an argument: p pointer, l long long, i int, f float, d double
   */
  void put(String name, String signature, Body body) {
    java.put(name, new Kernel(signature, body));
  }

  boolean has(String name) {
    return java.containsKey(name) || EmulatedKernels.kernels().containsKey(name);
  }

  Launch launch(String name, int[] grid, int[] block, int shared, long parameters) {
    Kernel kernel = java.get(name);
    if (lost.contains(name)) {
      return () -> {};
    }
    return kernel == null
        ? emulated(name, grid, block, shared, parameters)
        : inJava(kernel, parameters);
  }

  private static Launch inJava(Kernel kernel, long parameters) {
    String signature = kernel.signature();
    ByteBuffer table = view(parameters, 8 * signature.length());
    long[] arguments = new long[signature.length()];
    for (int i = 0; i < arguments.length; i++) {
      boolean isShort = "if".indexOf(signature.charAt(i)) >= 0;
      ByteBuffer value = view(table.getLong(8 * i), isShort ? 4 : 8);
      arguments[i] = isShort ? value.getInt(0) : value.getLong(0);
    }
    return () -> kernel.body().run(arguments);
  }

  /** The arguments are copied now, as the driver does. */
  private static Launch emulated(
      String name, int[] grid, int[] block, int shared, long parameters) {
    if (block[1] != 1 || block[2] != 1) {
      throw new AssertionError(name + " is launched with blocks of more than one axis");
    }
    int[] sizes = EmulatedKernels.kernels().get(name).bytes();
    ByteBuffer table = view(parameters, 8 * sizes.length);
    byte[][] values = new byte[sizes.length][];
    for (int i = 0; i < sizes.length; i++) {
      values[i] = new byte[sizes[i]];
      view(table.getLong(8 * i), sizes[i]).get(values[i]);
    }
    return () -> {
      Arguments arguments = Arguments.of();
      for (byte[] value : values) {
        arguments.struct(value); // aligned to 8 bytes, whatever they are
      }
      try (HostArguments there = new HostArguments(arguments)) {
        String problem =
            EmulatedKernels.launch(name, grid, block[0], shared, there.address(), SEED);
        if (problem != null) {
          throw new AssertionError(name + ": " + problem);
        }
      }
    };
  }

  static ByteBuffer view(long address, long bytes) {
    return Memory.view(address, (int) bytes).order(ByteOrder.nativeOrder());
  }
}
