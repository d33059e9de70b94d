package dev.crema.op;

import dev.crema.graph.Op;

/**
 * An op that can apply an activation while it writes output 0. Where it has three inputs, the last
 * is a bias of the extent of the output's last axis, added before; it may be absent.
 */
public interface ActivatedOp extends Op {
  /** What it applies now. */
  FusedActivation activation();

  /** The same op with another activation. */
  Op withActivation(FusedActivation activation);
}
