package dev.crema.device.cuda;

import dev.crema.CremaException;
import dev.crema.memory.Buffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Crema's own kernels on one card: a module a family, loaded on first use from the code that was
 * compiled when Crema was built, or else compiled now. Thread-safe.
 */
final class Modules {
  private static final int MAX_DYNAMIC_SHARED_BYTES = 8; // CU_FUNC_ATTRIBUTE_...

  /**
   * Of the 48 KB that a block has unasked, less what kernels that are given some have beside it in
   * arrays of their own: no more than 4 KB.
   */
  private static final int SHARED_WITHOUT_ASKING = 44 << 10;

  private record Module(long handle, Map<String, Long> functions) {}

  private final Context context;
  private final DeviceMemory memory;
  private final Function<String, byte[]> built;
  private final Supplier<KernelCompiler> compiler;
  private final Map<String, Module> families = new HashMap<>();
  private final Map<Long, Integer> shared = new HashMap<>(); // bytes allowed, by function

  /**
   * @param built the code of a family that was compiled when Crema was built; null if there is none
   * @param compiler asked for when it is first needed
   */
  Modules(
      Context context,
      DeviceMemory memory,
      Function<String, byte[]> built,
      Supplier<KernelCompiler> compiler) {
    this.context = context;
    this.memory = memory;
    this.built = built;
    this.compiler = compiler;
  }

  /** The handle of a kernel. The context is current. */
  synchronized long function(String family, String name) {
    Module module = families.get(family);
    if (module == null) {
      module = new Module(load(family), new HashMap<>());
      families.put(family, module);
    }
    Long known = module.functions().get(name);
    if (known != null) {
      return known;
    }
    long[] function = new long[1];
    context.check(
        context.calls().cuModuleGetFunction(function, module.handle(), name),
        "cuModuleGetFunction of " + family + "/" + name);
    module.functions().put(name, function[0]);
    return function[0];
  }

  /** Allows a kernel so much shared memory. */
  synchronized void allowShared(long function, int bytes) {
    if (bytes > SHARED_WITHOUT_ASKING && shared.getOrDefault(function, 0) < bytes) {
      context.check(
          context.calls().cuFuncSetAttribute(function, MAX_DYNAMIC_SHARED_BYTES, bytes),
          "cuFuncSetAttribute");
      shared.put(function, bytes);
    }
  }

  private long load(String family) {
    byte[] code = built.apply(family);
    long[] module = new long[1];
    if (code != null) {
      int status = load(code, module);
      if (!isOtherCard(status)) {
        check(status, family + ".fatbin", code);
        return module[0];
      }
    }
    KernelSource source = KernelSource.of(family);
    byte[] image;
    try {
      image = compiler.get().compile(source);
    } catch (CudaException e) {
      throw e;
    } catch (CremaException e) {
      throw new CremaException(
          "The kernels of "
              + family
              + (code == null ? " were not compiled" : " do not run on this card as they were")
              + " when Crema was built, and cannot be now: "
              + e.getMessage(),
          e);
    }
    check(load(image, module), family, image);
    return module[0];
  }

  private void check(int status, String what, byte[] image) {
    memory.check(
        status,
        "cuModuleLoadData of " + what,
        "room for code of " + DeviceMemory.show(image.length));
  }

  /** Whether the code is for other cards or drivers: no image, invalid PTX, newer PTX. */
  private static boolean isOtherCard(int status) {
    return Set.of(200, 209, 218, 222).contains(status);
  }

  private int load(byte[] image, long[] module) {
    try (Buffer code = Buffer.allocate(image.length, "Compiled kernels")) {
      code.borrow(0, image.length).put(image);
      return memory.withRoom(() -> context.calls().cuModuleLoadData(module, code.address()));
    }
  }

  /** Families that are loaded. */
  synchronized Set<String> loaded() {
    return new HashSet<>(families.keySet());
  }

  synchronized void close() {
    for (Module module : families.values()) {
      context.quietly(context.calls().cuModuleUnload(module.handle()), "cuModuleUnload");
    }
    families.clear();
    shared.clear();
  }
}
