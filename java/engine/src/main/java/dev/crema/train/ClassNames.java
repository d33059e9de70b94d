package dev.crema.train;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.graph.Node;
import dev.crema.memory.ElementType;
import java.util.List;

/** Checks that class numbers mean the same to a model and to all data it is trained and held to. */
final class ClassNames {
  private ClassNames() {}

  /**
   * @param names of the classes that the data has; empty where they are not known
   * @throws CremaException if those are more than an output tells apart
   */
  static void requireFit(String name, Node output, Dataset.Slot target, List<String> names) {
    if (target.type() != ElementType.INT32 || output.type().rank() < 2) {
      return;
    }
    long numbers = output.type().dim(-1).constant();
    long classes = numbers == 1 ? 2 : numbers;
    if (names.size() > classes) {
      throw new CremaException(
          "The data has "
              + names.size()
              + " classes "
              + shown(names)
              + ", but the output '"
              + name
              + "', "
              + output.type()
              + ", tells "
              + classes
              + " apart. Give the model's last layer a unit for each class.");
    }
  }

  /**
   * @throws CremaException if a class of the training data has another number in the data to
   *     validate on
   */
  static void requireSame(List<Head> heads, Dataset train, Dataset held) {
    List<String> outputs = heads.stream().map(Head::output).toList();
    int[] trained = Binding.targets(outputs, train.targets());
    int[] validated = Binding.targets(outputs, held.targets());
    for (int i = 0; i < trained.length; i++) {
      List<String> expected = train.classNames(trained[i]);
      List<String> given = held.classNames(validated[i]);
      int both = Math.min(expected.size(), given.size());
      if (!expected.subList(0, both).equals(given.subList(0, both))) {
        throw new CremaException(
            "The validation data has the classes "
                + shown(given)
                + ", the training data "
                + shown(expected)
                + ": the same numbers stand for other classes. Number both alike.");
      }
    }
  }

  private static String shown(List<String> names) {
    int most = 20;
    return names.size() <= most
        ? names.toString()
        : names.subList(0, most).toString().replace("]", ", ...]");
  }
}
