package dev.crema.device.cpu;

import dev.crema.CremaException;
import dev.crema.device.ProgramSpec;
import dev.crema.device.ProgramSpec.Instruction;
import dev.crema.device.ProgramSpec.PlacedTensor;
import dev.crema.graph.Dim;
import dev.crema.natives.Crema;
import java.util.Arrays;

/** Writes a program as the words that {@code plan.cpp} reads. */
final class Words {
  private static final int MOST_THREADS = 1024; // that the pool ever has

  private long[] words = new long[256];
  private int count;

  private Words() {}

  static long[] of(CpuDevice device, ProgramSpec spec, long regionTable) {
    Words w = new Words();
    w.put(Crema.CREMA_PLAN_MAGIC, Crema.CREMA_PLAN_VERSION, spec.capacity(), device.level());
    w.put(Math.min(spec.threads(), MOST_THREADS), spec.regions().size(), spec.tensors().size());
    w.put(spec.instructions().size(), regionTable);
    spec.regions().forEach(r -> w.put(r.bytes()));
    for (PlacedTensor t : spec.tensors()) {
      w.put(t.region(), t.offset(), t.type().element().id(), t.type().rank());
      for (Dim d : t.type().dims()) {
        w.put(d.perExample(), d.constant());
      }
    }
    for (Instruction i : spec.instructions()) {
      int kernel = device.kernel(i.kernel());
      if (kernel < 0) {
        throw new CremaException(i.where() + ": " + device + " has no kernel named " + i.kernel());
      }
      w.put(kernel, i.sections(), i.inputs().size(), i.outputs().size());
      w.put(i.ints().length, i.floats().length);
      i.inputs().forEach(w::put);
      i.outputs().forEach(w::put);
      w.put(i.ints());
      for (double f : i.floats()) {
        w.put(Double.doubleToRawLongBits(f));
      }
    }
    return Arrays.copyOf(w.words, w.count);
  }

  private void put(long... values) {
    if (count + values.length > words.length) {
      words = Arrays.copyOf(words, Math.max(2 * count, count + values.length));
    }
    System.arraycopy(values, 0, words, count, values.length);
    count += values.length;
  }
}
