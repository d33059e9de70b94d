package dev.crema.io;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.crema.CremaException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** A safetensors file in the making. */
final class SafetensorsContent implements Content {
  /** A cache line, and the widest vector load. */
  static final int ALIGNMENT = 64;

  private final List<NamedTensor> tensors;
  private final byte[] header;
  private final long size;

  SafetensorsContent(List<NamedTensor> tensors, Map<String, String> metadata) {
    check(tensors, metadata);
    this.tensors = new ArrayList<>(tensors);
    // Falling element size keeps every tensor aligned where the format forbids gaps.
    this.tensors.sort(Comparator.comparingInt((NamedTensor t) -> t.type().byteSize()).reversed());
    this.header = header(this.tensors, metadata);
    long sum = header.length;
    for (NamedTensor t : tensors) {
      try {
        sum = Math.addExact(sum, t.byteSize());
      } catch (ArithmeticException e) {
        throw new CremaException("The tensors have more than 2^63 bytes together", e);
      }
    }
    this.size = sum;
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void writeTo(WritableByteChannel out) throws IOException {
    Bytes.writeFully(out, ByteBuffer.wrap(header));
    for (NamedTensor t : tensors) {
      var counted = new CountingChannel(out, t.byteSize());
      t.content().writeTo(counted);
      if (counted.written() != t.byteSize()) {
        throw new CremaException(
            "Tensor '"
                + t.name()
                + "' of "
                + t.type()
                + " "
                + t.shape()
                + " takes "
                + t.byteSize()
                + " bytes, but its content has "
                + (counted.written() > t.byteSize() ? "more" : counted.written()));
      }
    }
  }

  private static void check(List<NamedTensor> tensors, Map<String, String> metadata) {
    Set<String> names = new HashSet<>();
    for (NamedTensor t : tensors) {
      String name = t.name();
      String fault = SafetensorsHeader.faultOf(name);
      if (name.equals(SafetensorsHeader.METADATA)) {
        fault = "is reserved for metadata";
      } else if (!names.add(name)) {
        fault = "is used twice";
      } else if (t.content().size() >= 0 && t.content().size() != t.byteSize()) {
        fault = "has " + t.content().size() + " bytes; its shape takes " + t.byteSize();
      }
      if (fault != null) {
        throw new CremaException(
            "Cannot write tensor '"
                + name
                + "' of "
                + t.type()
                + " "
                + t.shape()
                + ": it "
                + fault);
      }
    }
    metadata.forEach(
        (key, value) -> {
          if (!StandardCharsets.UTF_8.newEncoder().canEncode(key + value)) {
            throw new CremaException("Cannot write metadata '" + key + "': no valid Unicode");
          }
        });
    if (tensors.size() > SafetensorsHeader.MAX_TENSORS) {
      throw new CremaException(
          "A file holds at most "
              + SafetensorsHeader.MAX_TENSORS
              + " tensors, got "
              + tensors.size());
    }
  }

  private static byte[] header(List<NamedTensor> tensors, Map<String, String> metadata) {
    var bytes = new ByteArrayOutputStream();
    bytes.writeBytes(new byte[8]);
    try (JsonGenerator json = Json.mapper().createGenerator(bytes)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart(SafetensorsHeader.METADATA);
        for (Map.Entry<String, String> entry : new TreeMap<>(metadata).entrySet()) {
          json.writeStringField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
      }
      long offset = 0;
      for (NamedTensor t : tensors) {
        json.writeObjectFieldStart(t.name());
        json.writeStringField("dtype", t.type().safetensorsName());
        json.writeFieldName("shape");
        json.writeArray(t.shape().dims(), 0, t.shape().rank());
        json.writeFieldName("data_offsets");
        long end = Math.addExact(offset, t.byteSize());
        json.writeArray(new long[] {offset, end}, 0, 2);
        json.writeEndObject();
        offset = end;
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new CremaException("Cannot write the safetensors header: " + FileErrors.reason(e), e);
    } catch (ArithmeticException e) {
      throw new CremaException("The tensors have more than 2^63 bytes together", e);
    }
    int used = bytes.size();
    byte[] header =
        Arrays.copyOf(bytes.toByteArray(), -Math.floorDiv(-used, ALIGNMENT) * ALIGNMENT);
    Arrays.fill(header, used, header.length, (byte) ' ');
    ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putLong(0, header.length - 8L);
    if (header.length - 8 > SafetensorsHeader.MAX_LENGTH) {
      throw new CremaException(
          "The safetensors header has "
              + header.length
              + " bytes; readers take at most "
              + SafetensorsHeader.MAX_LENGTH
              + ". Shorten names or metadata.");
    }
    return header;
  }
}
