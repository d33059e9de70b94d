package dev.crema.graph;

/**
 * The extent of one axis: {@code perExample · n + constant}, where n is the batch size, known only
 * when a plan runs.
 */
public record Dim(long perExample, long constant) {
  /** The batch axis: n. */
  public static final Dim BATCH = new Dim(1, 0);

  public Dim {
    if (perExample < 0 || constant < 0) {
      throw new ShapeException("An extent cannot be negative: " + perExample + "n + " + constant);
    }
  }

  public static Dim of(long constant) {
    return new Dim(0, constant);
  }

  public boolean isConstant() {
    return perExample == 0;
  }

  /**
   * The extent for a batch of that size.
   *
   * @throws ShapeException if it is beyond 2^63
   */
  public long at(long batch) {
    try {
      return Math.addExact(Math.multiplyExact(perExample, batch), constant);
    } catch (ArithmeticException e) {
      throw new ShapeException("The extent " + this + " is too big for a batch of " + batch);
    }
  }

  /**
   * The sum.
   *
   * @throws ShapeException if it is beyond 2^63
   */
  public Dim plus(Dim other) {
    try {
      return new Dim(
          Math.addExact(perExample, other.perExample), Math.addExact(constant, other.constant));
    } catch (ArithmeticException e) {
      throw new ShapeException("The sum of the extents " + this + " and " + other + " is too big");
    }
  }

  /**
   * The product.
   *
   * @throws ShapeException if both factors depend on the batch size
   */
  public Dim times(Dim other) {
    if (!isConstant() && !other.isConstant()) {
      throw new ShapeException(
          "The extents " + this + " and " + other + " both depend on the batch size");
    }
    try {
      return isConstant()
          ? new Dim(
              Math.multiplyExact(constant, other.perExample),
              Math.multiplyExact(constant, other.constant))
          : new Dim(
              Math.multiplyExact(perExample, other.constant),
              Math.multiplyExact(constant, other.constant));
    } catch (ArithmeticException e) {
      throw new ShapeException(
          "The product of the extents " + this + " and " + other + " is too big");
    }
  }

  @Override
  public String toString() {
    if (perExample == 0) {
      return Long.toString(constant);
    }
    String n = perExample == 1 ? "n" : perExample + "n";
    return constant == 0 ? n : n + "+" + constant;
  }
}
