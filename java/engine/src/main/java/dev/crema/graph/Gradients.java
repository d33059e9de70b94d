package dev.crema.graph;

/** Where an op's {@link Op#gradient} puts what flows back into its inputs. */
public interface Gradients {
  /**
   * Adds {@code gradient} to what flows back into {@code x}. Where {@code x} was broadcast to the
   * gradient's shape, it is summed over the repeated axes. A null {@code x} is ignored.
   */
  void add(Node x, Node gradient);

  /** Whether the loss's gradient in {@code x} is wanted at all; false for null. */
  boolean needs(Node x);
}
