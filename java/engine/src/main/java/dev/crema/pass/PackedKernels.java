package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.Constant;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.graph.Variable;
import dev.crema.op.Embedding;
import dev.crema.op.PackFp8;
import dev.crema.op.PackQuantized;
import dev.crema.op.PackQuantizedTable;
import dev.crema.op.PackWeightOnly;
import dev.crema.op.QuantizationParameters;
import java.util.HashMap;
import java.util.Map;

/** The kernels that a rewrite packs as quantized ahead of the runs, each once for every use. */
final class PackedKernels {
  private static final long ALIGNMENT = 16; // floats

  private final Rewrite rewrite;
  private final Map<Packing, Node> packed = new HashMap<>();
  private long size;

  PackedKernels(Rewrite rewrite) {
    this.rewrite = rewrite;
  }

  /** What is packed of the kernel (input 1) and bias (input 2) of a static layer. */
  Node of(Application a, LayerQuantization q, QuantizationParameters y, long run) {
    Node[] in = rewrite.inputs(a);
    Node bias = in.length > 2 ? in[2] : null;
    return pack(a, in[1], bias, new PackQuantized(q.input(), y, run), q);
  }

  /** What is packed of the kernel (input 1) of a dynamic, weight-only or fp8 dense layer. */
  Node of(Application a, LayerQuantization q) {
    Node kernel = rewrite.inputs(a)[1];
    QuantizationScheme scheme = q.scheme();
    Op op =
        switch (scheme.method()) {
          case DYNAMIC -> new PackQuantized(null, null, PackQuantized.rowsOf(kernel.type()));
          case FP8 -> new PackFp8();
          default -> new PackWeightOnly(scheme.bits(), scheme.groupSize());
        };
    return pack(a, kernel, null, op, q);
  }

  /** What is packed of the table (input 1) of an old application of {@link Embedding}. */
  Node table(Application a, LayerQuantization q, QuantizationParameters y) {
    Op op = new PackQuantizedTable(((Embedding) a.op()).padding(), y);
    return pack(a, rewrite.inputs(a)[1], null, op, q);
  }

  private Node pack(Application a, Node kernel, Node bias, Op op, LayerQuantization q) {
    return packed.computeIfAbsent(
        new Packing((Variable) kernel.op(), bias, op),
        key -> {
          TensorType type = typeOf(op, kernel.type());
          String name = key.kernel().name() + (op instanceof PackFp8 ? ".fp" : ".int");
          name += q.scheme().bits();
          Node memory = rewrite.add(new Variable(name, Storage.PREPARED, size, type), a).output(0);
          size += (type.elements().constant() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
          long scales = q.weightScales().length;
          TensorType scalesType =
              op instanceof PackWeightOnly
                  ? TensorType.of(scales / kernel.type().extent(-1), kernel.type().extent(-1))
                  : TensorType.of(scales);
          Node constant = rewrite.add(new Constant(q.weightScales(), scalesType), a).output(0);
          Node[] in =
              op instanceof PackQuantized
                  ? new Node[] {memory, kernel, constant, bias}
                  : new Node[] {memory, kernel, constant};
          rewrite.add(op, a, Computation.PREPARE, in);
          return memory;
        });
  }

  private static TensorType typeOf(Op op, TensorType kernel) {
    long rows = PackQuantized.rowsOf(kernel);
    long units = kernel.extent(-1);
    if (op instanceof PackQuantizedTable t) {
      return PackQuantizedTable.typeOf(rows, units, t.y());
    }
    if (op instanceof PackFp8) {
      return PackFp8.typeOf(rows, units);
    }
    return op instanceof PackWeightOnly w
        ? PackWeightOnly.typeOf(rows, units, w.bits(), w.groupSize())
        : PackQuantized.typeOf(rows, ((PackQuantized) op).run(), units);
  }

  /** A kernel or table and a bias, and what packs them. */
  private record Packing(Variable kernel, Node bias, Op op) {}
}
