package dev.crema.serving.tensor;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.exc.InputCoercionException;
import dev.crema.memory.HalfPrecision;
import dev.crema.serving.inference.ServingException;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * One tensor while it is read from JSON: lists in lists of numbers, put down as they come. Its
 * shape is that of the lists. Not thread-safe.
 */
public final class JsonTensor {
  /** Deeper than any tensor of Crema's. */
  private static final int MAX_RANK = 32;

  private static final int UNKNOWN = -1;

  private final String name;
  private final NumberType type;
  private final String typeName;
  private final int[] counts = new int[MAX_RANK]; // values so far in the open list of each level
  private final long[] extents = new long[MAX_RANK]; // of lists that were closed
  private final int maximumBytes;
  private int rank = UNKNOWN; // known with the first number
  private int deepest; // levels of lists seen
  private ByteBuffer data;

  /**
   * @param name of the input, for messages
   * @param typeName what the protocol calls the type, for messages
   * @param expectedBytes of data; it grows where there are more
   * @param maximumBytes of data; more is refused
   */
  public JsonTensor(
      String name, NumberType type, String typeName, int expectedBytes, long maximumBytes) {
    this.maximumBytes = (int) Math.min(maximumBytes, Integer.MAX_VALUE - 64);
    this.name = name;
    this.type = type;
    this.typeName = typeName;
    Arrays.fill(extents, UNKNOWN);
    data =
        ByteBuffer.allocate(Math.max(8, Math.min(this.maximumBytes, expectedBytes)))
            .order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Reads the whole tensor, whose first token is the current one; ends at its last. */
  public void read(JsonParser json) throws IOException {
    read(json, 0, 0);
  }

  /**
   * Reads what is in a list that has been opened; the current token is the one after the bracket.
   */
  public void readOpened(JsonParser json) throws IOException {
    deepest = 1;
    read(json, 1, 0);
  }

  /** Reads one more row, an example without its batch axis; ends at its last token. */
  public void readRow(JsonParser json) throws IOException {
    deepest = Math.max(deepest, 1);
    read(json, 1, 1);
    counts[0]++;
    extents[0] = counts[0];
  }

  /** Rows that {@link #readRow} has read. */
  public long rows() {
    return counts[0];
  }

  public long[] shape() {
    return Arrays.copyOf(extents, rank == UNKNOWN ? deepest : rank);
  }

  /** What was read, from position 0 to the limit. */
  public ByteBuffer data() {
    return data.duplicate().order(ByteOrder.LITTLE_ENDIAN).flip();
  }

  /**
   * @param level lists that are open
   * @param end lists that remain open when it is done
   */
  private void read(JsonParser json, int level, int end) throws IOException {
    int open = level;
    JsonToken token = json.currentToken();
    while (true) {
      if (token == JsonToken.START_ARRAY) {
        open(open, json);
        open++;
      } else if (token == JsonToken.END_ARRAY) {
        open--;
        close(open);
        if (open == end) {
          return;
        }
        counts[open - 1]++;
      } else {
        number(json, token, open);
        if (open == end) {
          return;
        }
        counts[open - 1]++;
        if (type == NumberType.FP32) {
          token = floats(json, open);
          continue;
        }
      }
      token = json.nextToken();
    }
  }

  /** The usual case, quickly: what is left of a list of floats. Gives the token after them. */
  private JsonToken floats(JsonParser json, int open) throws IOException {
    int read = 0;
    JsonToken token = json.nextToken();
    while (token == JsonToken.VALUE_NUMBER_FLOAT || token == JsonToken.VALUE_NUMBER_INT) {
      float value = json.getFloatValue();
      if (Float.isInfinite(value) && !json.isNaN()) {
        counts[open - 1] += read;
        throw outOfRange(json, open);
      }
      room(4);
      data.putFloat(value);
      read++;
      if (json instanceof ListParser list) {
        read += list.floats(data);
      }
      token = json.nextToken();
    }
    counts[open - 1] += read;
    return token;
  }

  private void open(int open, JsonParser json) throws IOException {
    if (open == rank) {
      throw wrongValue(json, open);
    }
    if (open == MAX_RANK) {
      throw refused("has lists in each other deeper than " + MAX_RANK, open);
    }
    counts[open] = 0;
    deepest = Math.max(deepest, open + 1);
  }

  private void close(int level) {
    if (extents[level] == UNKNOWN) {
      extents[level] = counts[level];
    } else if (extents[level] != counts[level]) {
      throw refused(
          "has a list of " + counts[level] + " values beside one of " + extents[level], level);
    }
  }

  private void number(JsonParser json, JsonToken token, int open) throws IOException {
    if (rank == UNKNOWN && extents(open) == UNKNOWN) {
      rank = open;
    } else if (rank != open) {
      throw rank == UNKNOWN || open < rank
          ? refused("has " + JsonFormat.describe(json) + " where others have a list", open)
          : wrongValue(json, open);
    }
    room(type.byteSize());
    if (type.isFloating()) {
      if (token != JsonToken.VALUE_NUMBER_FLOAT && token != JsonToken.VALUE_NUMBER_INT) {
        throw wrongValue(json, open);
      }
      floating(json, open);
    } else if (type == NumberType.BOOL) {
      if (token != JsonToken.VALUE_TRUE && token != JsonToken.VALUE_FALSE) {
        throw wrongValue(json, open);
      }
      data.put((byte) (token == JsonToken.VALUE_TRUE ? 1 : 0));
    } else {
      if (token != JsonToken.VALUE_NUMBER_INT) {
        throw wrongValue(json, open);
      }
      integer(json, open);
    }
  }

  /** The extent at a level; unknown beyond the last. */
  private long extents(int level) {
    return level < MAX_RANK ? extents[level] : UNKNOWN;
  }

  private void floating(JsonParser json, int open) throws IOException {
    if (type == NumberType.FP64) {
      double value = json.getDoubleValue();
      if (Double.isInfinite(value) && !json.isNaN()) {
        throw outOfRange(json, open);
      }
      data.putDouble(value);
      return;
    }
    float value = json.getFloatValue();
    short half = 0;
    float stored = value;
    if (type == NumberType.FP16) {
      half = HalfPrecision.toFloat16(value);
      stored = HalfPrecision.fromFloat16(half);
    } else if (type == NumberType.BF16) {
      half = HalfPrecision.toBfloat16(value);
      stored = HalfPrecision.fromBfloat16(half);
    }
    if (Float.isInfinite(stored) && !json.isNaN()) {
      throw outOfRange(json, open);
    }
    if (type == NumberType.FP32) {
      data.putFloat(value);
    } else {
      data.putShort(half);
    }
  }

  private void integer(JsonParser json, int open) throws IOException {
    if (type == NumberType.UINT64) {
      BigInteger value = json.getBigIntegerValue();
      if (value.signum() < 0 || value.bitLength() > 64) {
        throw outOfRange(json, open);
      }
      data.putLong(value.longValue());
      return;
    }
    long value;
    try {
      value = json.getLongValue();
    } catch (InputCoercionException e) {
      throw outOfRange(json, open);
    }
    long stored =
        switch (type) {
          case UINT8 -> value & 0xff;
          case UINT16 -> value & 0xffff;
          case UINT32 -> value & 0xffff_ffffL;
          case INT8 -> (byte) value;
          case INT16 -> (short) value;
          case INT32 -> (int) value;
          default -> value;
        };
    if (stored != value) {
      throw outOfRange(json, open);
    }
    switch (type.byteSize()) {
      case 1 -> data.put((byte) value);
      case 2 -> data.putShort((short) value);
      case 4 -> data.putInt((int) value);
      default -> data.putLong(value);
    }
  }

  private void room(int bytes) {
    if (data.remaining() < bytes) {
      int capacity = (int) Math.min(Math.max(64, 2L * data.capacity()), maximumBytes);
      if (capacity < data.position() + bytes) {
        throw refused("is bigger than the " + maximumBytes + " bytes that this server takes", 0);
      }
      data =
          ByteBuffer.wrap(Arrays.copyOf(data.array(), capacity))
              .order(ByteOrder.LITTLE_ENDIAN)
              .position(data.position());
    }
  }

  private ServingException outOfRange(JsonParser json, int open) throws IOException {
    return refused(
        "takes " + typeName + ", in which there is no " + JsonFormat.describe(json), open);
  }

  private ServingException wrongValue(JsonParser json, int open) throws IOException {
    String strings =
        json.currentToken() == JsonToken.START_OBJECT
            ? "; base64 ({\"b64\": ...}) stands for strings, which this input does not take"
            : "";
    return refused(
        "takes numbers of type " + typeName + ", got " + JsonFormat.describe(json) + strings, open);
  }

  private ServingException refused(String why, int open) {
    StringBuilder at = new StringBuilder();
    for (int i = 0; i < open; i++) {
      at.append('[').append(counts[i]).append(']');
    }
    return ServingException.invalidArgument(
        "Input '" + JsonFormat.shortened(name) + "' " + why + (open == 0 ? "" : ", at " + at));
  }
}
