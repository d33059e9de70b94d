package dev.crema.train;

import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.memory.Buffer;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.ModelGraph;
import java.util.Map;

/**
 * What a training makes small beside the loss of its targets, computed in the same step: the
 * distance from a teacher, say. Evaluations know nothing of it.
 */
public interface LossTerm {
  /**
   * Adds it to a step's graph.
   *
   * @param model as it trains
   * @param targets the loss of the targets, a scalar
   * @param answers what each trained output answers, by its index
   * @return what is made small, a scalar
   * @throws dev.crema.CremaException if it does not fit the model
   */
  Node build(ModelGraph model, Node targets, Map<Integer, BuiltIn.Output> answers);

  /** Memory that its nodes read, which stays its owner's and open while the training lasts. */
  default Map<Storage, Buffer> storages() {
    return Map.of();
  }

  /** Its name and settings. A checkpoint compares them on resume. */
  String description();
}
