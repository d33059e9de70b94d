package dev.crema.serving.security;

import java.util.Locale;
import java.util.Objects;

/**
 * Something that a client may do, written as {@code predict:digits}, {@code predict:*}, {@code
 * metadata}, {@code metrics} or {@code admin}. None includes another.
 *
 * @param model the only one that may be asked; "*" for all. Only {@link Action#PREDICT} has others
 *     than "*"
 */
public record Scope(Action action, String model) {
  /** What is done. */
  public enum Action {
    /** Asks a model for predictions, and tells what was true afterwards. */
    PREDICT,
    /** Reads which models there are, in which state, and what they take and give. */
    METADATA,
    /** Reads measurements. */
    METRICS,
    /** Loads and unloads models. */
    ADMIN
  }

  public static final Scope METADATA = new Scope(Action.METADATA, "*");
  public static final Scope METRICS = new Scope(Action.METRICS, "*");
  public static final Scope ADMIN = new Scope(Action.ADMIN, "*");

  public Scope {
    Objects.requireNonNull(action, "action");
    if (model.isBlank()) {
      throw new IllegalArgumentException("A scope names a model, or * for all");
    }
    if (action != Action.PREDICT && !model.equals("*")) {
      throw new IllegalArgumentException(
          "Scope '"
              + name(action)
              + "' is for all models; '"
              + name(action)
              + ":"
              + model
              + "' is not known");
    }
  }

  public static Scope predict(String model) {
    return new Scope(Action.PREDICT, model);
  }

  /**
   * As it is written in settings.
   *
   * @throws IllegalArgumentException if it is none
   */
  public static Scope parse(String text) {
    int colon = text.indexOf(':');
    String name = colon < 0 ? text : text.substring(0, colon);
    for (Action action : Action.values()) {
      if (name(action).equals(name)) {
        return new Scope(action, colon < 0 ? "*" : text.substring(colon + 1));
      }
    }
    throw new IllegalArgumentException(
        "'"
            + text
            + "' is no scope; there are predict:NAME, predict:*, metadata, metrics and admin");
  }

  /** Whether who has this may do that. */
  public boolean covers(Scope wanted) {
    return action == wanted.action && (model.equals("*") || model.equals(wanted.model));
  }

  private static String name(Action action) {
    return action.name().toLowerCase(Locale.ROOT);
  }

  @Override
  public String toString() {
    return action == Action.PREDICT ? "predict:" + model : name(action);
  }
}
