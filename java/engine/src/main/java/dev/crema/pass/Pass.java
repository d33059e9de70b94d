package dev.crema.pass;

/**
 * Makes a graph that computes the same in another way. The graph that it is given stays as it is.
 * Implementations have no state.
 */
public interface Pass {
  /** Rewrites what is live; the outputs keep their types and their values. */
  Rewrite apply(Computation from);
}
