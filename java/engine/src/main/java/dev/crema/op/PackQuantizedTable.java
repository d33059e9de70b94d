package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * Stores what {@link QuantizedEmbedding} reads of a table: its rows as int8, each with its own
 * scale, or as the bytes that its readers want. Inputs: packed, a variable of {@link #typeOf};
 * table [vocabulary, units]; scales of its rows [vocabulary]. No outputs. A number becomes the
 * nearest multiple of its row's scale, 127 at most, and for bytes then the nearest of those; NaN
 * becomes 0.
 *
 * @param padding the id whose row reads as zeros; {@link Embedding#NONE} for none
 * @param y of the vectors, uint8; null: float32
 */
public record PackQuantizedTable(long padding, QuantizationParameters y) implements Op {
  private static final int WORD = 4; // bytes

  public PackQuantizedTable {
    if (y != null) {
      QuantizeLinear.requireFits(y, ElementType.UINT8);
    }
  }

  /** The type of the packed form of a table. */
  public static TensorType typeOf(long vocabulary, long units, QuantizationParameters y) {
    return TensorType.of(vocabulary, (units + WORD - 1) / WORD + (y == null ? 1 : 0));
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType table = in.get(1).requireRank(2, "the table");
    table.requireElement(ElementType.FLOAT32, "the table");
    TensorType packed = typeOf(table.extent(0), table.extent(1), y);
    if (!in.get(0).equals(packed)) {
      throw new ShapeException("packed must be " + packed + " but is " + in.get(0));
    }
    TensorType scales = TensorType.of(table.extent(0));
    if (!in.get(2).equals(scales)) {
      throw new ShapeException("scales must be " + scales + " but are " + in.get(2));
    }
    return List.of();
  }

  @Override
  public void attributes(Attributes a) {
    a.ints(padding, y == null ? 0 : y.zeroPoint()).floats(y == null ? 0 : y.scale());
  }

  @Override
  public int[] writes() {
    return new int[] {0};
  }
}
