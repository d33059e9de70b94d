package dev.crema.compress;

import dev.crema.CremaException;
import dev.crema.graph.Application;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.nn.Quantization;
import dev.crema.nn.Topology;
import dev.crema.op.Add;
import dev.crema.op.AveragePool2d;
import dev.crema.op.Concat;
import dev.crema.op.Conv2d;
import dev.crema.op.Embedding;
import dev.crema.op.GlobalAveragePool;
import dev.crema.op.Linear;
import dev.crema.op.MaxPool2d;
import dev.crema.op.PackQuantized;
import dev.crema.op.Relu;
import dev.crema.op.Reshape;
import dev.crema.pass.QuantizationScheme;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Finds the layers of a model that are to compute with bytes. */
final class QuantizableLayers {
  private QuantizableLayers() {}

  /**
   * The applications that the layers are for, by the layers' names: products and embeddings, and
   * sums and means of what those give.
   *
   * @throws CremaException if there is neither, or a name to leave out is not known
   */
  static Map<String, Application> of(Topology topology, Graph graph, Set<String> excluded) {
    Set<String> names = names(topology, QuantizationScheme.STATIC, excluded);
    Map<String, Application> found = new LinkedHashMap<>();
    Set<Node> bytes = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Application a : graph.applications()) {
      boolean wanted = names.contains(a.layer()) && !excluded.contains(a.layer());
      boolean fits = hasWeights(a) || isMean(a.op()) && bytes.containsAll(a.inputs());
      if (wanted && fits) {
        found.put(a.layer(), a);
        bytes.add(a.output(0));
      } else if (keepsBytes(a.op()) && bytes.containsAll(a.inputs())) {
        bytes.add(a.output(0));
      }
    }
    if (found.values().stream().noneMatch(QuantizableLayers::hasWeights)) {
      throw none(names, excluded);
    }
    return found;
  }

  /**
   * The applications of the dense layers that a dynamic, weight-only or fp8 scheme is for, by the
   * layers' names.
   *
   * @throws CremaException if there is none, or a name to leave out is not known
   */
  static Map<String, Application> dense(
      Topology topology, Graph graph, QuantizationScheme scheme, Set<String> excluded) {
    Set<String> names = names(topology, scheme, excluded);
    boolean sums = scheme.method() == QuantizationScheme.Method.DYNAMIC;
    Map<String, Application> found = new LinkedHashMap<>();
    for (Application a : graph.applications()) {
      boolean wanted = names.contains(a.layer()) && !excluded.contains(a.layer());
      if (wanted && a.op() instanceof Linear && (isProduct(a) || !sums)) {
        found.put(a.layer(), a);
      }
    }
    if (found.isEmpty()) {
      throw none(names, excluded);
    }
    return found;
  }

  /** Names of layers that there is such a form of. */
  private static Set<String> names(
      Topology topology, QuantizationScheme scheme, Set<String> excluded) {
    Set<String> names = new LinkedHashSet<>();
    topology.places().stream()
        .filter(p -> Quantization.supports(p, scheme))
        .forEach(p -> names.add(p.name()));
    for (String name : excluded) {
      if (!names.contains(name)) {
        throw new CremaException(
            "'"
                + name
                + "' is to be left as it is, but the layers that can be quantized are "
                + names);
      }
    }
    return names;
  }

  private static CremaException none(Set<String> names, Set<String> excluded) {
    return new CremaException(
        "No layer of this model can be quantized: of its layers "
            + names
            + " those to be left out are "
            + excluded
            + ".");
  }

  /** What the application reads of other layers. */
  static List<Node> inputs(Application a) {
    return isTable(a) ? List.of() : isProduct(a) ? List.of(a.input(0)) : a.inputs();
  }

  private static boolean isProduct(Application a) {
    return (a.op() instanceof Linear || a.op() instanceof Conv2d c && c.groups() == 1)
        && PackQuantized.rowsOf(a.input(1).type()) <= PackQuantized.MOST_FEATURES;
  }

  /** Rows by id: what it reads is whole numbers already. */
  private static boolean isTable(Application a) {
    return a.op() instanceof Embedding;
  }

  private static boolean hasWeights(Application a) {
    return isProduct(a) || isTable(a);
  }

  private static boolean isMean(Op op) {
    return op instanceof Add || op instanceof AveragePool2d || op instanceof GlobalAveragePool;
  }

  /** What bytes can go through. */
  private static boolean keepsBytes(Op op) {
    return op instanceof Relu
        || op instanceof Reshape
        || op instanceof MaxPool2d
        || op instanceof Concat;
  }
}
