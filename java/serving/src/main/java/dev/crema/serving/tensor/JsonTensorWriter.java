package dev.crema.serving.tensor;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.crema.memory.ElementType;
import dev.crema.memory.HalfPrecision;
import dev.crema.serving.inference.TensorValue;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Writes a tensor as JSON: in lists of lists, row by row or flat. Not thread-safe. */
public final class JsonTensorWriter {
  private final ElementType type;
  private final long[] shape;
  private final ByteBuffer data;

  public JsonTensorWriter(TensorValue value) {
    type = value.type();
    shape = value.shape();
    data = value.data();
  }

  /** All of it, lists in lists; a scalar as a number. */
  public void writeNested(JsonGenerator json) throws IOException {
    write(json, 0);
  }

  /** The next row, without its batch axis. */
  public void writeRow(JsonGenerator json) throws IOException {
    write(json, 1);
  }

  /** All numbers in one list. */
  public void writeFlat(JsonGenerator json) throws IOException {
    json.writeStartArray();
    while (data.hasRemaining()) {
      writeNumber(json);
    }
    json.writeEndArray();
  }

  private void write(JsonGenerator json, int level) throws IOException {
    if (level >= shape.length) {
      writeNumber(json);
      return;
    }
    json.writeStartArray();
    for (long i = 0; i < shape[level]; i++) {
      write(json, level + 1);
    }
    json.writeEndArray();
  }

  private void writeNumber(JsonGenerator json) throws IOException {
    switch (type) {
      case FLOAT32 -> json.writeNumber(data.getFloat());
      case FLOAT16 -> json.writeNumber(HalfPrecision.fromFloat16(data.getShort()));
      case BFLOAT16 -> json.writeNumber(HalfPrecision.fromBfloat16(data.getShort()));
      case INT8 -> json.writeNumber(data.get());
      case UINT8 -> json.writeNumber(Byte.toUnsignedInt(data.get()));
      case INT32 -> json.writeNumber(data.getInt());
      case INT64 -> json.writeNumber(data.getLong());
      case BOOL -> json.writeBoolean(data.get() != 0);
    }
  }
}
