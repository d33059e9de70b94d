package dev.crema.graph;

import dev.crema.CremaException;

/** Shapes or element types that do not fit together; found when a graph is built. */
public final class ShapeException extends CremaException {
  private static final long serialVersionUID = 1L;

  public ShapeException(String message) {
    super(message);
  }
}
