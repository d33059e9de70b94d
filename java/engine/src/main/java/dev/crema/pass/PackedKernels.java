package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.Constant;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.graph.Variable;
import dev.crema.op.PackQuantized;
import dev.crema.op.QuantizationParameters;
import java.util.HashMap;
import java.util.Map;

/** The kernels that a rewrite packs as int8 ahead of the runs, each once for every use. */
final class PackedKernels {
  private static final long ALIGNMENT = 16; // floats

  private final Rewrite rewrite;
  private final Map<Packing, Node> packed = new HashMap<>();
  private long size;

  PackedKernels(Rewrite rewrite) {
    this.rewrite = rewrite;
  }

  /** What is packed of the kernel (input 1) and bias (input 2) of an old application. */
  Node of(Application a, LayerQuantization q, QuantizationParameters y, long run) {
    Node[] in = rewrite.inputs(a);
    Node bias = in.length > 2 ? in[2] : null;
    Packing packing = new Packing((Variable) in[1].op(), bias, q.input(), y, run);
    return packed.computeIfAbsent(packing, key -> pack(a, in[1], bias, q.weightScales(), key));
  }

  private Node pack(Application a, Node kernel, Node bias, float[] weightScales, Packing key) {
    long units = weightScales.length;
    long rows = PackQuantized.rowsOf(kernel.type());
    TensorType type = PackQuantized.typeOf(rows, key.run(), units);
    String name = key.kernel().name() + ".int8";
    Node memory = rewrite.add(new Variable(name, Storage.PREPARED, size, type), a).output(0);
    size += (type.elements().constant() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    Node scales = rewrite.add(new Constant(weightScales, TensorType.of(units)), a).output(0);
    PackQuantized op = new PackQuantized(key.x(), key.y(), key.run());
    rewrite.add(op, a, Computation.PREPARE, memory, kernel, scales, bias);
    return memory;
  }

  /** A kernel and bias as they are to be packed. */
  private record Packing(
      Variable kernel, Node bias, QuantizationParameters x, QuantizationParameters y, long run) {}
}
