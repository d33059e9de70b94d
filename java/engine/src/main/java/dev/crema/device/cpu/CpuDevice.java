package dev.crema.device.cpu;

import dev.crema.CremaException;
import dev.crema.device.Device;
import dev.crema.device.Program;
import dev.crema.device.ProgramSpec;
import dev.crema.memory.ElementType;
import dev.crema.natives.Crema;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The CPU at one of its instruction-set levels. */
public final class CpuDevice implements Device {
  /** Kernels that copy elements of any type. */
  private static final Set<String> MOVES =
      Set.of("assign", "transpose", "concat", "split", "slice", "gather");

  private final int level;
  private final String isa;
  private final Map<String, Integer> kernels = new ConcurrentHashMap<>();
  private final Map<String, Integer> operations = new ConcurrentHashMap<>();

  private CpuDevice(int level) {
    this.level = level;
    this.isa = Crema.crema_isa_name(level);
  }

  /** The best level of this processor, or the lower one that was forced. */
  public static CpuDevice best() {
    return new CpuDevice(Crema.crema_isa_active());
  }

  /** One device for each level that this processor supports, the lowest first; for tests. */
  public static List<CpuDevice> levels() {
    List<CpuDevice> all = new ArrayList<>();
    for (int l = 0; l <= Crema.crema_isa_active(); l++) {
      if (Crema.crema_isa_supported(l) != 0) {
        all.add(new CpuDevice(l));
      }
    }
    return all;
  }

  @Override
  public String name() {
    return "cpu";
  }

  /** For example {@code avx512}. */
  public String isa() {
    return isa;
  }

  @Override
  public String description() {
    return "CPU, " + isa + ", " + Crema.crema_threads() + " threads";
  }

  @Override
  public int elementwise(String operation) {
    int number = operations.computeIfAbsent(operation, Crema::crema_elementwise);
    if (number < 0) {
      throw new CremaException("The CPU has no element-wise operation named " + operation);
    }
    return number;
  }

  int kernel(String name) {
    return kernels.computeIfAbsent(name, Crema::crema_kernel);
  }

  int level() {
    return level;
  }

  @Override
  public boolean has(String kernel, ElementType type) {
    return MOVES.contains(kernel);
  }

  @Override
  public Program load(ProgramSpec spec) {
    spec.requireElements(this);
    MatrixProducts.prepare();
    return new CpuProgram(this, spec);
  }

  @Override
  public String toString() {
    return name() + " (" + isa + ")";
  }
}
