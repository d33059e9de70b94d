package dev.crema.serving.tensorflow;

import com.google.protobuf.ByteString;
import dev.crema.memory.ElementType;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.TensorSpec;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.protocols.tensorflow.TensorProto;
import dev.crema.serving.protocols.tensorflow.TensorShapeProto;
import dev.crema.serving.tensor.JsonFormat;
import dev.crema.serving.tensor.NumberType;
import dev.crema.serving.tensor.Widening;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** TensorFlow's tensor messages. */
final class TensorProtos {
  private TensorProtos() {}

  /**
   * The values of an input: {@code tensor_content} as it is, without a copy; or the list of its
   * type, where a single value is repeated to fill the shape.
   *
   * @param pixelScale of the model's signature
   * @param tensorBytes of the biggest tensor that is taken: a few bytes must not become gigabytes
   */
  static TensorValue read(
      TensorSpec spec, TensorProto tensor, double pixelScale, long tensorBytes) {
    NumberType type =
        DataTypes.numbers(tensor.getDtype())
            .filter(t -> Widening.isLossless(t, spec.type()))
            .orElseThrow(
                () ->
                    refused(
                        spec.name(),
                        "is "
                            + tensor.getDtype()
                            + ", but the model takes "
                            + DataTypes.of(spec.type())));
    long[] shape = shape(spec.name(), tensor.getTensorShape());
    if (elements(spec.name(), shape) > tensorBytes / spec.type().byteSize()) {
      throw refused(
          spec.name(),
          "of shape "
              + Arrays.toString(shape)
              + " is bigger than the "
              + tensorBytes
              + " bytes that this server takes");
    }
    ByteBuffer data = numbers(spec.name(), tensor, type, shape);
    return new TensorValue(spec.type(), shape, Widening.widen(type, data, spec.type(), pixelScale));
  }

  /** As many numbers as a shape that is not too big says, little endian. */
  static ByteBuffer numbers(String input, TensorProto tensor, NumberType type, long[] shape) {
    long elements = elements(input, shape);
    ByteString content = tensor.getTensorContent();
    if (content.isEmpty()) {
      return values(input, tensor, type, shape, elements);
    }
    long bytes = elements * type.byteSize();
    if (content.size() != bytes) {
      throw refused(
          input,
          "of shape "
              + Arrays.toString(shape)
              + " has "
              + bytes
              + " bytes, but its tensor_content "
              + content.size());
    }
    return content.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  static long[] shape(String input, TensorShapeProto shape) {
    if (shape.getUnknownRank()) {
      throw refused(input, "has a shape of unknown rank; it must be known");
    }
    long[] extents = new long[shape.getDimCount()];
    for (int i = 0; i < extents.length; i++) {
      extents[i] = shape.getDim(i).getSize();
      if (extents[i] < 0) {
        throw refused(input, "has the extent " + extents[i] + " in axis " + i);
      }
    }
    return extents;
  }

  private static long elements(String input, long[] shape) {
    try {
      long elements = 1;
      for (long extent : shape) {
        elements = Math.multiplyExact(elements, extent);
      }
      return elements;
    } catch (ArithmeticException e) {
      throw refused(input, "of shape " + Arrays.toString(shape) + " is too big");
    }
  }

  private static ByteBuffer values(
      String input, TensorProto tensor, NumberType type, long[] shape, long elements) {
    int given = count(tensor, type);
    if (given != elements && (given != 1 || elements == 0)) {
      throw refused(
          input,
          "of shape "
              + Arrays.toString(shape)
              + " takes "
              + elements
              + " values of "
              + tensor.getDtype()
              + ", got "
              + given);
    }
    long bytes = elements * type.byteSize();
    ByteBuffer data = ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < elements; i++) {
      put(input, tensor, type, given == elements ? i : 0, data);
    }
    return data.flip();
  }

  private static int count(TensorProto tensor, NumberType type) {
    return switch (type) {
      case FP32 -> tensor.getFloatValCount();
      case FP64 -> tensor.getDoubleValCount();
      case FP16, BF16 -> tensor.getHalfValCount();
      case INT8, UINT8, INT16, UINT16, INT32 -> tensor.getIntValCount();
      case UINT32 -> tensor.getUint32ValCount();
      case INT64 -> tensor.getInt64ValCount();
      case UINT64 -> tensor.getUint64ValCount();
      case BOOL -> tensor.getBoolValCount();
    };
  }

  private static void put(
      String input, TensorProto tensor, NumberType type, int i, ByteBuffer data) {
    switch (type) {
      case FP32 -> data.putFloat(tensor.getFloatVal(i));
      case FP64 -> data.putDouble(tensor.getDoubleVal(i));
      case FP16, BF16 ->
          data.putShort((short) within(input, tensor.getHalfVal(i), 0, 0xffff, type));
      case INT8 -> data.put((byte) within(input, tensor.getIntVal(i), -128, 127, type));
      case UINT8 -> data.put((byte) within(input, tensor.getIntVal(i), 0, 255, type));
      case INT16 -> data.putShort((short) within(input, tensor.getIntVal(i), -32768, 32767, type));
      case UINT16 -> data.putShort((short) within(input, tensor.getIntVal(i), 0, 0xffff, type));
      case INT32 -> data.putInt(tensor.getIntVal(i));
      case UINT32 -> data.putInt(tensor.getUint32Val(i));
      case INT64 -> data.putLong(tensor.getInt64Val(i));
      case UINT64 -> data.putLong(tensor.getUint64Val(i));
      case BOOL -> data.put((byte) (tensor.getBoolVal(i) ? 1 : 0));
    }
  }

  private static int within(String input, int value, int least, int most, NumberType type) {
    if (value < least || value > most) {
      throw refused(input, "has the value " + value + ", which is none of " + type);
    }
    return value;
  }

  static ServingException refused(String input, String why) {
    return ServingException.invalidArgument("Input '" + JsonFormat.shortened(input) + "' " + why);
  }

  /** An output, in the list of its type: what most clients read without a second thought. */
  static TensorProto write(TensorValue value) {
    TensorProto.Builder tensor = TensorProto.newBuilder().setDtype(DataTypes.of(value.type()));
    TensorShapeProto.Builder shape = tensor.getTensorShapeBuilder();
    for (long extent : value.shape()) {
      shape.addDimBuilder().setSize(extent);
    }
    ByteBuffer data = value.data();
    ElementType type = value.type();
    while (data.hasRemaining()) {
      switch (type) {
        case FLOAT32 -> tensor.addFloatVal(data.getFloat());
        case FLOAT16, BFLOAT16 -> tensor.addHalfVal(data.getShort() & 0xffff);
        case INT8 -> tensor.addIntVal(data.get());
        case UINT8 -> tensor.addIntVal(data.get() & 0xff);
        case INT32 -> tensor.addIntVal(data.getInt());
        case INT64 -> tensor.addInt64Val(data.getLong());
        case BOOL -> tensor.addBoolVal(data.get() != 0);
      }
    }
    return tensor.build();
  }
}
