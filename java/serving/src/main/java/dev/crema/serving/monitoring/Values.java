package dev.crema.serving.monitoring;

import dev.crema.memory.ElementType;
import dev.crema.serving.inference.TensorValue;
import java.nio.ByteBuffer;

/** The elements of a tensor as floats, whatever they are. */
final class Values {
  private final ByteBuffer data;
  private final ElementType type;
  private final int rows;
  private final int width;

  private Values(TensorValue tensor, int rows) {
    this.data = tensor.data();
    this.type = tensor.type();
    this.rows = rows;
    this.width = rows == 0 ? 0 : data.remaining() / type.byteSize() / rows;
  }

  /** Null if its elements are of a type that is not looked into, or it has no examples. */
  static Values of(TensorValue tensor) {
    if (tensor == null || tensor.shape().length == 0 || tensor.rows() < 1) {
      return null;
    }
    return switch (tensor.type()) {
      case FLOAT32, INT32, INT64, INT8, UINT8, BOOL -> new Values(tensor, (int) tensor.rows());
      case FLOAT16, BFLOAT16 -> null;
    };
  }

  int rows() {
    return rows;
  }

  /** Elements of an example. */
  int width() {
    return width;
  }

  float at(int row, int position) {
    int index = row * width + position;
    return switch (type) {
      case FLOAT32 -> data.getFloat(4 * index);
      case INT32 -> data.getInt(4 * index);
      case INT64 -> data.getLong(8 * index);
      case UINT8 -> data.get(index) & 0xff;
      default -> data.get(index);
    };
  }

  /** The class that a row tells: the place of the greatest, or whether the only one is above. */
  int tell(int row, float threshold) {
    if (width == 1) {
      return at(row, 0) > threshold ? 1 : 0;
    }
    int best = 0;
    for (int i = 1; i < width; i++) {
      best = at(row, i) > at(row, best) ? i : best;
    }
    return best;
  }
}
