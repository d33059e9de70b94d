package dev.crema.data;

/** What is to be predicted. */
public enum Task {
  /** Decided by the target: text, booleans and few integers are classes, other numbers values. */
  AUTO,
  CLASSIFICATION,
  REGRESSION
}
