package dev.crema.op;

import dev.crema.graph.Dim;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.ArrayList;
import java.util.List;

/**
 * Rows by id of a table of bytes: ids [n, ..] of int32 or int64 and a table packed by {@link
 * PackQuantizedTable} with the same {@code y} give [n, .., units], uint8 or float32. An id that the
 * table does not have ends the run with a {@link dev.crema.device.KernelException} that says which.
 * Every device gives the same bits.
 *
 * @param units elements of a row
 * @param y of the vectors, uint8; null: float32, a number of the row times its scale, rounded once
 */
public record QuantizedEmbedding(int units, QuantizationParameters y) implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType ids = Gather.requireIndices(in.get(0), "ids");
    TensorType packed = in.get(1).requireRank(2, "the packed table");
    TensorType expected = PackQuantizedTable.typeOf(packed.extent(0), units, y);
    if (!packed.equals(expected)) {
      throw new ShapeException("the packed table must be " + expected + " but is " + packed);
    }
    List<Dim> dims = new ArrayList<>(ids.dims());
    dims.add(Dim.of(units));
    return List.of(
        packed.withDims(dims).withElement(y == null ? ElementType.FLOAT32 : ElementType.UINT8));
  }
}
