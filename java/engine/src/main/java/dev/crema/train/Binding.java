package dev.crema.train;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.graph.Dim;
import dev.crema.graph.TensorType;
import dev.crema.nn.Model;
import dev.crema.nn.Topology;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;

/** Which block of a dataset belongs to which input or output of a model. */
final class Binding {
  private Binding() {}

  /**
   * For each input of the model, then for each of some outputs, the place of its block among those
   * of the dataset: inputs first, then targets.
   *
   * @throws CremaException if they don't fit
   */
  static int[] of(Model model, List<Head> heads, Dataset data) {
    int[] inputs = inputs(model, data);
    int[] targets = targets(heads.stream().map(Head::output).toList(), data.targets());
    int[] all = Arrays.copyOf(inputs, inputs.length + targets.length);
    for (int i = 0; i < targets.length; i++) {
      all[inputs.length + i] = inputs.length + targets[i];
    }
    return all;
  }

  /**
   * The place among the data's inputs of each input of the model: by their names if they are the
   * same, else by order.
   */
  static int[] inputs(Model model, Dataset data) {
    List<Topology.InputSpec> wanted = model.topology().inputs();
    List<Dataset.Slot> given = data.inputs();
    if (wanted.size() != given.size()) {
      throw new CremaException(
          "The model has " + wanted.size() + " inputs but the data has " + given.size());
    }
    List<String> names = wanted.stream().map(Topology.InputSpec::name).toList();
    boolean named = new HashSet<>(names).equals(new HashSet<>(names(given)));
    int[] places = new int[wanted.size()];
    for (int i = 0; i < places.length; i++) {
      places[i] = named ? names(given).indexOf(names.get(i)) : i;
      requireType(wanted.get(i), given.get(places[i]));
    }
    return places;
  }

  private static void requireType(Topology.InputSpec input, Dataset.Slot slot) {
    TensorType given = TensorType.batchOf(slot.type(), slot.shape().dims());
    TensorType wanted = input.type();
    boolean same = wanted.elements().equals(given.elements()) && hasAxesOf(wanted, given);
    if (!same || wanted.element() != given.element()) {
      throw new CremaException(
          "The model's input '"
              + input.name()
              + "' is "
              + wanted
              + " but the data's '"
              + slot.name()
              + "' is "
              + given
              + ". Change the model's input shape or the data.");
    }
  }

  /**
   * Whether examples are of one shape, but for axes of length 1, or one of them is flat: images
   * with the channels first are none with the channels last, although they have as many numbers.
   */
  private static boolean hasAxesOf(TensorType wanted, TensorType given) {
    List<Dim> a = axes(wanted);
    List<Dim> b = axes(given);
    return a.equals(b) || a.size() <= 1 || b.size() <= 1;
  }

  private static List<Dim> axes(TensorType type) {
    return type.dims().stream().skip(1).filter(d -> !d.equals(Dim.of(1))).toList();
  }

  /**
   * The place among the data's targets of each output: by name if the targets bear names of
   * outputs, else by order.
   */
  static int[] targets(List<String> outputs, List<Dataset.Slot> given) {
    List<String> names = names(given);
    if (outputs.size() != given.size()) {
      throw new CremaException(
          "Expected a target for "
              + (outputs.size() == 1 ? "the output " : "each of the outputs ")
              + outputs
              + ", the data has "
              + (given.isEmpty() ? "none" : given.size() + " " + names)
              + ". Give the data a target for each output (Datasets.arrays), or say with"
              + " Trainer.outputs which outputs to train.");
    }
    int[] places = new int[outputs.size()];
    boolean named = outputs.size() > 1 && names.stream().anyMatch(outputs::contains);
    for (int i = 0; i < places.length; i++) {
      places[i] = named ? names.indexOf(outputs.get(i)) : i;
      if (places[i] < 0) {
        throw new CremaException(
            "Output '"
                + outputs.get(i)
                + "' has no target: the data has "
                + names
                + ", the outputs are "
                + outputs
                + ". Name the targets as the outputs, or none of them to go by their order.");
      }
    }
    return places;
  }

  private static List<String> names(List<Dataset.Slot> slots) {
    return slots.stream().map(Dataset.Slot::name).toList();
  }
}
