package dev.crema.serving.openinference;

import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.protocols.inference.InferTensorContents;
import dev.crema.serving.tensor.JsonFormat;
import dev.crema.serving.tensor.NumberType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The typed lists of numbers in gRPC messages. */
final class TypedContents {
  private TypedContents() {}

  /** As many as there are; whether they are enough is checked with the shape. */
  static ByteBuffer read(String input, NumberType type, InferTensorContents contents) {
    int count = count(input, type, contents);
    ByteBuffer data =
        ByteBuffer.allocate(Math.multiplyExact(count, type.byteSize()))
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      switch (type) {
        case BOOL -> data.put((byte) (contents.getBoolContents(i) ? 1 : 0));
        case INT8 -> data.put((byte) within(input, type, contents.getIntContents(i), -128, 127));
        case INT16 ->
            data.putShort((short) within(input, type, contents.getIntContents(i), -32768, 32767));
        case INT32 -> data.putInt(contents.getIntContents(i));
        case INT64 -> data.putLong(contents.getInt64Contents(i));
        case UINT8 ->
            data.put((byte) within(input, type, unsigned(contents.getUintContents(i)), 0, 255));
        case UINT16 ->
            data.putShort(
                (short) within(input, type, unsigned(contents.getUintContents(i)), 0, 0xffff));
        case UINT32 -> data.putInt(contents.getUintContents(i));
        case UINT64 -> data.putLong(contents.getUint64Contents(i));
        case FP32 -> data.putFloat(contents.getFp32Contents(i));
        case FP64 -> data.putDouble(contents.getFp64Contents(i));
        case FP16, BF16 -> throw new IllegalStateException(type + " has no contents");
      }
    }
    return data.flip();
  }

  private static int count(String input, NumberType type, InferTensorContents contents) {
    return switch (type) {
      case BOOL -> contents.getBoolContentsCount();
      case INT8, INT16, INT32 -> contents.getIntContentsCount();
      case INT64 -> contents.getInt64ContentsCount();
      case UINT8, UINT16, UINT32 -> contents.getUintContentsCount();
      case UINT64 -> contents.getUint64ContentsCount();
      case FP32 -> contents.getFp32ContentsCount();
      case FP64 -> contents.getFp64ContentsCount();
      case FP16, BF16 ->
          throw ServingException.invalidArgument(
              "inference input '"
                  + JsonFormat.shortened(input)
                  + "' of type "
                  + type
                  + " must be sent as raw_input_contents");
    };
  }

  private static long unsigned(int value) {
    return Integer.toUnsignedLong(value);
  }

  private static long within(String input, NumberType type, long value, long least, long most) {
    if (value < least || value > most) {
      throw ServingException.invalidArgument(
          "inference input '"
              + JsonFormat.shortened(input)
              + "' has the value "
              + value
              + ", which is none of "
              + type);
    }
    return value;
  }

  /** Whether a type has a list of its own. */
  static boolean holds(NumberType type) {
    return type != NumberType.FP16 && type != NumberType.BF16;
  }

  static InferTensorContents write(TensorValue value) {
    InferTensorContents.Builder contents = InferTensorContents.newBuilder();
    ByteBuffer data = value.data();
    while (data.hasRemaining()) {
      switch (value.type()) {
        case FLOAT32 -> contents.addFp32Contents(data.getFloat());
        case INT8 -> contents.addIntContents(data.get());
        case UINT8 -> contents.addUintContents(data.get() & 0xff);
        case INT32 -> contents.addIntContents(data.getInt());
        case INT64 -> contents.addInt64Contents(data.getLong());
        case BOOL -> contents.addBoolContents(data.get() != 0);
        case FLOAT16, BFLOAT16 -> throw new IllegalStateException(value + " has no contents");
      }
    }
    return contents.build();
  }
}
