package dev.crema.op;

import dev.crema.graph.ElementwiseOp;

/** −1, 0 or 1, element by element. No gradient. */
public record Sign() implements ElementwiseOp {}
