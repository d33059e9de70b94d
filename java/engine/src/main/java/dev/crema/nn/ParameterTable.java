package dev.crema.nn;

import dev.crema.graph.ShapeException;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Where each tensor of a model lies in the flat buffers. Every tensor starts at a multiple of 64
 * bytes; the gaps hold zeros.
 */
public final class ParameterTable {
  private static final long ALIGNMENT = 16; // floats
  private static final long MOST_ELEMENTS = 1L << 48;

  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  private final Map<Storage, Long> sizes = new HashMap<>();

  Parameter define(Storage storage, String path, TensorType type, Initializer initializer) {
    Parameter known = parameters.get(path);
    if (known != null) {
      if (!known.type().equals(type)) {
        throw new ShapeException(
            path + " is shared by places that need " + known.type() + " and " + type);
      }
      return known;
    }
    long offset = size(storage);
    Parameter parameter = new Parameter(path, storage, offset, type, initializer);
    if (parameter.elements() > MOST_ELEMENTS - offset) {
      throw new ShapeException(path + " of " + type + " is more than any memory holds");
    }
    long end = offset + parameter.elements();
    sizes.put(storage, (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    parameters.put(path, parameter);
    return parameter;
  }

  /** Elements of a storage, gaps included. */
  public long size(Storage storage) {
    return sizes.getOrDefault(storage, 0L);
  }

  /** All tensors, in order of definition. */
  public Collection<Parameter> all() {
    return Collections.unmodifiableCollection(parameters.values());
  }

  /** The tensor of that path, or null. */
  public Parameter get(String path) {
    return parameters.get(path);
  }

  /** Elements that training changes, without gaps. */
  public long trainedElements() {
    return parameters.values().stream()
        .filter(Parameter::isTrained)
        .mapToLong(Parameter::elements)
        .sum();
  }
}
