package dev.crema.eval;

/** What the numbers that a model gives for its classes are. */
public enum Scores {
  /** Outputs of softmax or sigmoid, 0 to 1. */
  PROBABILITIES,
  /** What goes into softmax or sigmoid: any real number. */
  LOGITS
}
