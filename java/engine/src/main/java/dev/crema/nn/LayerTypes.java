package dev.crema.nn;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The layers that a model file may name. */
final class LayerTypes {
  static final Map<String, Class<? extends Layer>> ALL = all();

  private LayerTypes() {}

  private static Map<String, Class<? extends Layer>> all() {
    List<Class<? extends Layer>> types = List.of(Dense.class, Activate.class, Flatten.class);
    Map<String, Class<? extends Layer>> byName = new LinkedHashMap<>();
    types.forEach(t -> byName.put(name(t), t));
    return Collections.unmodifiableMap(byName);
  }

  /** {@code Conv2d} to {@code conv2d}, {@code BatchNorm} to {@code batch_norm}. */
  static String name(Class<? extends Layer> type) {
    return type.getSimpleName().replaceAll("(?<=[a-z0-9])(?=[A-Z])", "_").toLowerCase();
  }
}
