package dev.crema.graph;

import dev.crema.memory.ElementType;

/** A flat buffer that outlives a run and is shared by plans: all parameters, say. */
public record Storage(String name, ElementType element) {
  /** What training changes. */
  public static final Storage PARAMETERS = new Storage("parameters", ElementType.FLOAT32);

  /** One gradient for each element of {@link #PARAMETERS}, at the same place. */
  public static final Storage GRADIENTS = new Storage("gradients", ElementType.FLOAT32);

  /** A float for each element of {@link #PARAMETERS}, at the same place: 0 where it is pruned. */
  public static final Storage MASKS = new Storage("masks", ElementType.FLOAT32);

  /** What a forward pass in training changes: running means. */
  public static final Storage STATE = new Storage("state", ElementType.FLOAT32);

  /** What the training loop sets before a step: learning rate, step number, seeds. */
  public static final Storage HYPER = new Storage("hyper", ElementType.FLOAT32);

  /**
   * What plans for prediction compute from {@link #PARAMETERS} and {@link #STATE} ahead of runs.
   */
  public static final Storage PREPARED = new Storage("prepared", ElementType.FLOAT32);

  /** The optimiser's {@code i}-th moment of each parameter. */
  public static Storage moment(int i) {
    return new Storage("moment" + i, ElementType.FLOAT32);
  }
}
