package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.Constant;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.graph.Variable;
import dev.crema.op.Embedding;
import dev.crema.op.PackQuantized;
import dev.crema.op.PackQuantizedTable;
import dev.crema.op.QuantizationParameters;
import java.util.HashMap;
import java.util.Map;

/** The kernels that a rewrite packs as int8 ahead of the runs, each once for every use. */
final class PackedKernels {
  private static final long ALIGNMENT = 16; // floats

  private final Rewrite rewrite;
  private final Map<Packing, Node> packed = new HashMap<>();
  private final Map<TablePacking, Node> tables = new HashMap<>();
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
    Node memory = memory(a, key.kernel(), type);
    Node scales = scales(a, weightScales);
    PackQuantized op = new PackQuantized(key.x(), key.y(), key.run());
    rewrite.add(op, a, Computation.PREPARE, memory, kernel, scales, bias);
    return memory;
  }

  /** What is packed of the table (input 1) of an old application of {@link Embedding}. */
  Node table(Application a, LayerQuantization q, QuantizationParameters y) {
    Node table = rewrite.inputs(a)[1];
    long padding = ((Embedding) a.op()).padding();
    TablePacking key = new TablePacking((Variable) table.op(), padding, y);
    return tables.computeIfAbsent(
        key,
        k -> {
          TensorType type = table.type();
          TensorType packedType = PackQuantizedTable.typeOf(type.extent(0), type.extent(1), y);
          Node memory = memory(a, key.table(), packedType);
          Node scales = scales(a, q.weightScales());
          PackQuantizedTable op = new PackQuantizedTable(padding, y);
          rewrite.add(op, a, Computation.PREPARE, memory, table, scales);
          return memory;
        });
  }

  private Node memory(Application a, Variable of, TensorType type) {
    Variable memory = new Variable(of.name() + ".int8", Storage.PREPARED, size, type);
    size += (type.elements().constant() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return rewrite.add(memory, a).output(0);
  }

  private Node scales(Application a, float[] scales) {
    return rewrite.add(new Constant(scales, TensorType.of(scales.length)), a).output(0);
  }

  /** A table as it is to be packed. */
  private record TablePacking(Variable table, long padding, QuantizationParameters y) {}

  /** A kernel and bias as they are to be packed. */
  private record Packing(
      Variable kernel, Node bias, QuantizationParameters x, QuantizationParameters y, long run) {}
}
