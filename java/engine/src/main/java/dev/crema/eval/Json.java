package dev.crema.eval;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/** Pieces of the reports' JSON. A number that is not finite is null: JSON has no NaN. */
final class Json {
  private Json() {}

  static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }

  static void put(ObjectNode node, String name, double value) {
    if (Double.isFinite(value)) {
      node.put(name, value);
    } else {
      node.putNull(name);
    }
  }

  static void put(ObjectNode node, String name, AverageScores scores) {
    ObjectNode child = node.putObject(name);
    put(child, "precision", scores.precision());
    put(child, "recall", scores.recall());
    put(child, "f1", scores.f1());
  }

  static void put(ObjectNode node, String name, List<ClassScores> classes) {
    var array = node.putArray(name);
    for (ClassScores c : classes) {
      ObjectNode child = array.addObject().put("name", c.name());
      put(child, "precision", c.precision());
      put(child, "recall", c.recall());
      put(child, "f1", c.f1());
      child.put("support", c.support()).put("predicted", c.predicted());
      put(child, "rocAuc", c.rocAuc());
    }
  }

  static void putWarnings(ObjectNode node, List<String> warnings) {
    var array = node.putArray("warnings");
    warnings.forEach(array::add);
  }
}
