package dev.crema.nn;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.CremaException;
import dev.crema.io.Safetensors;
import dev.crema.io.TensorInfo;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/** The tensors of a model's file, those that are {@link SparseTensors stored sparse} among them. */
final class StoredTensors implements TensorSource {
  private final Safetensors file;
  private final String where;
  private final Set<String> names = new LinkedHashSet<>();
  private final Map<String, SparseTensor> sparse = new HashMap<>();

  /**
   * @param names of those that are sparse: an array of texts, or missing
   */
  StoredTensors(Safetensors file, JsonNode names, String where) {
    this.file = file;
    this.where = where;
    if (!names.isMissingNode() && !names.isArray()) {
      throw new CremaException(
          where + ": '" + SparseTensors.FIELD + "' should be a list of tensors, got " + names);
    }
    for (JsonNode name : names) {
      if (!name.isTextual() || !this.names.add(name.textValue())) {
        throw new CremaException(
            where
                + ": '"
                + SparseTensors.FIELD
                + "' should name each sparse tensor once, got "
                + names);
      }
    }
  }

  /** Whether a tensor of the file is a part of a sparse one. */
  boolean isPart(String name) {
    int dot = name.lastIndexOf('.');
    return dot >= 0
        && names.contains(name.substring(0, dot))
        && Set.of(SparseTensors.VALUES, SparseTensors.BITMAP, SparseTensors.INDICES)
            .contains(name.substring(dot));
  }

  /** Checks that a parameter is there, of that type; all of it, if it is sparse. */
  void require(Parameter p, ElementType type) {
    Shape shape = p.type().at(0);
    if (!names.contains(p.path())) {
      requireFits(p.path(), type, shape);
      return;
    }
    if (file.tensors().containsKey(p.path())) {
      throw wrong(p, "is there a second time, with its zeros");
    }
    TensorInfo values = file.tensor(p.path() + SparseTensors.VALUES);
    long count = values.shape().rank() == 1 ? values.shape().dim(0) : -1;
    if (p.elements() > Integer.MAX_VALUE || count < 0 || count > p.elements()) {
      throw wrong(p, "has values of " + values.shape() + " for a tensor of " + shape);
    }
    requireFits(values.name(), type, Shape.of(count));
    int elements = (int) p.elements();
    boolean indices = file.tensors().containsKey(p.path() + SparseTensors.INDICES);
    if (indices == file.tensors().containsKey(p.path() + SparseTensors.BITMAP)) {
      throw wrong(p, "should have a bitmap or indices, one of both");
    }
    if (indices && !SparseTensors.hasIndices(elements, count)) {
      throw wrong(p, "has indices of " + count + " values where it should have a bitmap");
    }
    byte[] bitmap = indices ? bitmap(p, elements, (int) count) : bitmap(p, elements);
    long bits = SparseTensor.count(bitmap, 0, 8L * bitmap.length);
    if (bits != count) {
      throw wrong(p, "has places for " + bits + " values but " + count + " values");
    }
    sparse.put(p.path(), new SparseTensor(file, values.name(), type.byteSize(), bitmap));
  }

  private byte[] bitmap(Parameter p, int elements) {
    String name = p.path() + SparseTensors.BITMAP;
    int size = (int) ((elements + 7L) / 8);
    requireFits(name, ElementType.UINT8, Shape.of(size));
    byte[] bitmap = new byte[size];
    bytes(name, size).get(bitmap);
    if (elements % 8 != 0 && (bitmap[size - 1] & 255) >> elements % 8 != 0) {
      throw wrong(p, "has a bitmap with bits behind its " + elements + " elements");
    }
    return bitmap;
  }

  private byte[] bitmap(Parameter p, int elements, int count) {
    String name = p.path() + SparseTensors.INDICES;
    requireFits(name, ElementType.INT32, Shape.of(count));
    ByteBuffer indices = bytes(name, 4 * count);
    byte[] bitmap = new byte[(int) ((elements + 7L) / 8)];
    int before = -1;
    for (int i = 0; i < count; i++) {
      int index = indices.getInt();
      if (index <= before || index >= elements) {
        throw wrong(
            p, "has index " + index + " after " + before + "; they ascend below " + elements);
      }
      bitmap[index / 8] |= (byte) (1 << index % 8);
      before = index;
    }
    return bitmap;
  }

  private ByteBuffer bytes(String name, int size) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(size).order(ByteOrder.LITTLE_ENDIAN);
    file.read(name, bytes);
    return bytes.clear();
  }

  /** Checks that sparse tensors are parameters. */
  void requireKnown(ParameterTable table) {
    for (String name : names) {
      Parameter p = table.get(name);
      if (p == null || !p.isTrained()) {
        throw new CremaException(
            where
                + ": no layer of the topology has the sparse tensor '"
                + name
                + "'. The topology and the tensors do not belong together.");
      }
    }
  }

  private CremaException wrong(Parameter p, String what) {
    return new CremaException(
        where + ": the sparse tensor '" + p.path() + "' " + what + ". The file is damaged.");
  }

  /** Whether the file has a tensor of that name, type and shape. */
  private void requireFits(String name, ElementType type, Shape expected) {
    requireFits(file, name, type, expected, where);
  }

  static void requireFits(
      Safetensors file, String name, ElementType type, Shape expected, String where) {
    TensorInfo info = file.tensor(name);
    boolean fits = info.isSupported() && info.type() == type;
    if (!fits || !info.shape().equals(expected)) {
      throw new CremaException(
          where
              + ": tensor '"
              + info.name()
              + "' should be "
              + type.safetensorsName()
              + " "
              + expected
              + " but the file has "
              + info.dtype()
              + " "
              + info.shape()
              + ". The topology and the tensors do not belong together.");
    }
  }

  /** Part of a parameter that {@link #require} has found right. */
  @Override
  public void read(String name, long from, ByteBuffer dst) {
    SparseTensor tensor = sparse.get(name);
    if (tensor == null) {
      file.read(name, from, dst);
    } else {
      tensor.read(from, dst);
    }
  }
}
