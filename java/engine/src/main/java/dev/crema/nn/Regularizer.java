package dev.crema.nn;

/**
 * A penalty on a parameter, added to the training loss: {@code l1 · Σ|w| + l2 · Σw²} (as Keras: no
 * factor ½).
 */
public record Regularizer(double l1, double l2) {
  public Regularizer {
    if (!(l1 >= 0 && l1 < Double.POSITIVE_INFINITY && l2 >= 0 && l2 < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "Penalties must be finite numbers of at least 0, got l1=" + l1 + ", l2=" + l2);
    }
  }

  public static Regularizer l1(double factor) {
    return new Regularizer(factor, 0);
  }

  public static Regularizer l2(double factor) {
    return new Regularizer(0, factor);
  }
}
