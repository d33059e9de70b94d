package dev.crema.train;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.Model;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a trainer was told of a model's outputs: which to train, by which losses, at what weight.
 */
final class OutputSettings {
  private final Model model;
  private final List<String> names;
  private final Map<String, Loss> losses = new LinkedHashMap<>();
  private final Map<String, Double> weights = new LinkedHashMap<>();
  private final Map<String, float[]> classWeights = new LinkedHashMap<>();
  private List<String> trained;
  private Loss common;
  private float[] onlyClassWeights;

  OutputSettings(Model model) {
    this.model = model;
    this.names = model.topology().outputs();
    this.trained = names;
  }

  void train(List<String> outputs) {
    outputs.forEach(this::requireOutput);
    if (outputs.isEmpty() || new HashSet<>(outputs).size() < outputs.size()) {
      throw new CremaException(
          "Expected the names of outputs to train, each once, got "
              + outputs
              + "; there are "
              + names);
    }
    trained = names.stream().filter(outputs::contains).toList();
  }

  /** Of every output that has none of its own. */
  void loss(Loss value) {
    common = value;
  }

  void loss(String output, Loss value) {
    losses.put(requireOutput(output), value);
  }

  void losses(List<Loss> inOrder) {
    requireOneEach("losses", inOrder.size());
    for (int i = 0; i < inOrder.size(); i++) {
      losses.put(names.get(i), inOrder.get(i));
    }
  }

  void weight(String output, double weight) {
    if (!(weight >= 0) || Double.isInfinite(weight)) {
      throw new CremaException(
          "The weight of the loss of '"
              + requireOutput(output)
              + "' must be a finite number of at least 0, got "
              + weight);
    }
    weights.put(requireOutput(output), weight);
  }

  void weights(double[] inOrder) {
    requireOneEach("weights of losses", inOrder.length);
    for (int i = 0; i < inOrder.length; i++) {
      weight(names.get(i), inOrder[i]);
    }
  }

  void classWeights(float[] values) {
    onlyClassWeights = checkedWeights(values);
  }

  void classWeights(String output, float[] values) {
    classWeights.put(requireOutput(output), checkedWeights(values));
  }

  /** A copy. */
  private static float[] checkedWeights(float[] values) {
    boolean positive = false;
    for (float value : values) {
      if (!(value >= 0) || Float.isInfinite(value)) {
        throw new IllegalArgumentException(
            "Class weights must be finite numbers of at least 0, got " + Arrays.toString(values));
      }
      positive |= value > 0;
    }
    if (!positive) {
      throw new IllegalArgumentException(
          "At least one class weight must be above 0, got " + Arrays.toString(values));
    }
    return values.clone();
  }

  /** The outputs that are trained, in the model's order. */
  List<String> trained() {
    return trained;
  }

  /** The outputs that are trained, by losses that are set or suggested by the data. */
  List<Head> heads(Dataset data) {
    List<Dataset.Slot> slots = data.targets();
    if (slots.isEmpty()) {
      throw new CremaException("The data has no target: nothing to train for");
    }
    int[] places = Binding.targets(trained, slots);
    List<Node> outputs = model.build(new Graph(), false).outputs();
    List<Head> heads = new ArrayList<>();
    for (int i = 0; i < places.length; i++) {
      String name = trained.get(i);
      Dataset.Slot slot = slots.get(places[i]);
      Loss loss = losses.getOrDefault(name, common);
      Loss chosen = loss != null ? loss : Loss.infer(outputs.get(names.indexOf(name)), slot);
      if (chosen.answers() != BuiltIn.Output.VALUES) {
        ClassNames.requireFit(
            name, outputs.get(names.indexOf(name)), slot, data.classNames(places[i]));
      }
      heads.add(head(name, chosen, slot));
    }
    return checked(heads);
  }

  /** The outputs that are trained, by losses that are set, of targets that those usually have. */
  List<Head> usualHeads() {
    List<Head> heads = new ArrayList<>();
    for (String name : trained) {
      Loss loss = losses.getOrDefault(name, common);
      if (loss == null) {
        throw new CremaException(
            "A BatchTrainer can't tell the loss "
                + (trained.size() == 1 ? "" : "of output '" + name + "' ")
                + "from data that it has not seen: set it, for example loss("
                + (trained.size() == 1 ? "" : "\"" + name + "\", ")
                + "Losses.sparseCategoricalCrossentropy())");
      }
      int index = names.indexOf(name);
      heads.add(head(name, loss, loss.usualTarget(model.topology().outputTypes().get(index))));
    }
    return checked(heads);
  }

  private Head head(String name, Loss loss, Dataset.Slot target) {
    float[] own = classWeights.getOrDefault(name, onlyClassWeights);
    return new Head(name, names.indexOf(name), loss, weights.getOrDefault(name, 1.0), own, target);
  }

  private List<Head> checked(List<Head> heads) {
    if (onlyClassWeights != null && trained.size() > 1) {
      throw new CremaException(
          "There are several outputs "
              + trained
              + ": say whose class weights those are, with"
              + " classWeights(output, weights)");
    }
    for (Map<String, ?> settings : List.of(losses, weights, classWeights)) {
      for (String name : settings.keySet()) {
        if (!trained.contains(name)) {
          throw new CremaException(
              "Output '"
                  + name
                  + "' has a loss, a weight or class weights but is not trained;"
                  + " outputs(...) names "
                  + trained);
        }
      }
    }
    MetricNames.requireDistinct(trained);
    return heads;
  }

  private String requireOutput(String name) {
    if (!names.contains(name)) {
      throw new CremaException("This model has no output '" + name + "'; it has " + names);
    }
    return name;
  }

  private void requireOneEach(String what, int count) {
    if (count != names.size()) {
      throw new CremaException(
          "Expected " + what + " for each of the model's outputs " + names + ", got " + count);
    }
  }
}
