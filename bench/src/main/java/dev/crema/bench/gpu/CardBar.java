package dev.crema.bench.gpu;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.io.Json;
import java.util.List;

/** What a work is to reach. Bars over PyTorch are judged where its figures are joined. */
sealed interface CardBar {
  ObjectNode json();

  /**
   * So many times as fast as the fastest of some ways to run PyTorch.
   *
   * @param name of them together, for people
   * @param modes as peers.py names them
   */
  record Times(double least, String name, List<String> modes) implements CardBar {
    private static final List<String> COMPILED =
        List.of("compile", "reduce-overhead", "compile-graph");
    private static final List<String> GRAPHS = List.of("reduce-overhead", "compile-graph");

    static Times eager(double least) {
      return new Times(least, "PyTorch eager", List.of("eager"));
    }

    static Times compiled(double least) {
      return new Times(least, "torch.compile", COMPILED);
    }

    static Times compiledWithGraphs(double least) {
      return new Times(least, "torch.compile with CUDA graphs", GRAPHS);
    }

    @Override
    public ObjectNode json() {
      ObjectNode node = Json.mapper().createObjectNode().put("times", least).put("over", name);
      modes.forEach(node.putArray("modes")::add);
      return node;
    }
  }

  /** A share of what the card was measured to do, of 1. */
  record OfLimit(double share) implements CardBar {
    @Override
    public ObjectNode json() {
      return Json.mapper().createObjectNode().put("of_limit", share);
    }
  }
}
