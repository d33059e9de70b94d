package dev.crema.train;

import dev.crema.CremaException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What metrics are called in a history: of one output of several, the output's name in front. */
final class MetricNames {
  static final String LOSS = "loss";
  static final String ACCURACY = "accuracy";
  static final String MAE = "mae";
  static final String R2 = "r2";
  static final String VALIDATION = "val_";
  private static final List<String> ALL = List.of(LOSS, ACCURACY, MAE, R2);

  private MetricNames() {}

  static String of(String output, String metric) {
    return output + "_" + metric;
  }

  /** Refuses outputs whose metrics would bear one name. */
  static void requireDistinct(List<String> outputs) {
    if (outputs.size() < 2) {
      return;
    }
    Map<String, String> owners = new HashMap<>();
    owners.put(LOSS, "the sum of all losses");
    owners.put(VALIDATION + LOSS, "the sum of all losses");
    for (String output : outputs) {
      for (String metric : ALL) {
        String name = of(output, metric);
        claim(owners, name, output);
        claim(owners, VALIDATION + name, output);
      }
    }
  }

  private static void claim(Map<String, String> owners, String name, String output) {
    String owner = owners.put(name, "output '" + output + "'");
    if (owner != null) {
      throw new CremaException(
          "The metric '"
              + name
              + "' of output '"
              + output
              + "' would also be that of "
              + owner
              + ". Give the output another name, with Layer.named(name, …).");
    }
  }
}
