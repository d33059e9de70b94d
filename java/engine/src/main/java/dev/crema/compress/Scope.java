package dev.crema.compress;

/** Among which weights those to prune are chosen. */
public enum Scope {
  /** Each layer is pruned to the same sparsity. */
  LAYER,

  /**
   * All layers together are pruned to the sparsity: the smallest of all go, some layers lose more
   * than others. Each keeps at least one.
   */
  GLOBAL
}
