package dev.crema.serving.tensorflow;

import dev.crema.memory.ElementType;
import dev.crema.serving.protocols.tensorflow.DataType;
import dev.crema.serving.tensor.NumberType;
import java.util.Optional;

/** TensorFlow's names of types. */
final class DataTypes {
  private DataTypes() {}

  static DataType of(ElementType type) {
    return switch (type) {
      case FLOAT32 -> DataType.DT_FLOAT;
      case BFLOAT16 -> DataType.DT_BFLOAT16;
      case FLOAT16 -> DataType.DT_HALF;
      case INT8 -> DataType.DT_INT8;
      case UINT8 -> DataType.DT_UINT8;
      case INT32 -> DataType.DT_INT32;
      case INT64 -> DataType.DT_INT64;
      case BOOL -> DataType.DT_BOOL;
    };
  }

  /** The numbers of a type; empty for those that are no numbers. */
  static Optional<NumberType> numbers(DataType type) {
    return Optional.ofNullable(
        switch (type) {
          case DT_FLOAT -> NumberType.FP32;
          case DT_DOUBLE -> NumberType.FP64;
          case DT_HALF -> NumberType.FP16;
          case DT_BFLOAT16 -> NumberType.BF16;
          case DT_INT8 -> NumberType.INT8;
          case DT_UINT8 -> NumberType.UINT8;
          case DT_INT16 -> NumberType.INT16;
          case DT_UINT16 -> NumberType.UINT16;
          case DT_INT32 -> NumberType.INT32;
          case DT_UINT32 -> NumberType.UINT32;
          case DT_INT64 -> NumberType.INT64;
          case DT_UINT64 -> NumberType.UINT64;
          case DT_BOOL -> NumberType.BOOL;
          default -> null;
        });
  }
}
