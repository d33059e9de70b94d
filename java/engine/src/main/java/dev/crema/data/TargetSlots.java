package dev.crema.data;

import dev.crema.CremaException;
import dev.crema.memory.ElementType;
import java.util.Collections;
import java.util.List;

/**
 * The targets of a dataset: none, one, or one for each output of a model.
 *
 * @param classNames a list for each target, empty where it is no class; of one or no target, one
 */
record TargetSlots(List<Dataset.Slot> slots, List<List<String>> classNames) {
  TargetSlots {
    slots = List.copyOf(slots);
    classNames = classNames.stream().map(List::copyOf).toList();
  }

  /** At most one, which may be null. */
  static TargetSlots of(Dataset.Slot target, List<String> classNames) {
    return new TargetSlots(target == null ? List.of() : List.of(target), List.of(classNames));
  }

  /**
   * Several.
   *
   * @param classNames a list for each, or none at all
   */
  static TargetSlots of(List<Dataset.Slot> targets, List<List<String>> classNames) {
    if (!classNames.isEmpty() && classNames.size() != targets.size()) {
      throw new CremaException(
          "There are "
              + targets.size()
              + " targets but class names of "
              + classNames.size()
              + ". Give a list for each target, empty where it is no class.");
    }
    List<List<String>> unnamed = Collections.nCopies(Math.max(1, targets.size()), List.of());
    return new TargetSlots(targets, classNames.isEmpty() ? unnamed : classNames);
  }

  /** The one target; null if there is none. */
  Dataset.Slot only() {
    requireOne();
    return slots.isEmpty() ? null : slots.get(0);
  }

  List<String> onlyClassNames() {
    requireOne();
    return classNames.get(0);
  }

  private void requireOne() {
    if (slots.size() > 1) {
      throw new CremaException(
          "This dataset has "
              + slots.size()
              + " targets "
              + slots.stream().map(Dataset.Slot::name).toList()
              + " where one is expected. Read them with targets() and classNames(i), train on them"
              + " with a model that has an output for each.");
    }
  }

  boolean hasClasses(int target) {
    return slots.get(target).type() == ElementType.INT32;
  }
}
