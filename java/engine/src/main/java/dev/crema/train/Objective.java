package dev.crema.train;

import dev.crema.CremaException;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.nn.ModelGraph;
import dev.crema.op.Add;
import dev.crema.op.Affine;
import java.util.ArrayList;
import java.util.List;

/**
 * The losses of a model's outputs in a graph, and their weighted sum.
 *
 * @param total a scalar
 */
record Objective(List<Part> parts, Node total) {
  /** The input of the graph for the targets of a model's only output. */
  static final String TARGET = "target";

  /**
   * One output's.
   *
   * @param input of the graph, for the targets
   */
  record Part(Head head, String input, TensorType target, Loss.Nodes nodes) {}

  /**
   * Adds the losses to a graph.
   *
   * @throws CremaException naming the output, if a loss does not fit it or its target
   */
  static Objective build(ModelGraph built, List<Head> heads) {
    List<Part> parts = new ArrayList<>();
    Node total = null;
    for (Head head : heads) {
      Part part = part(built, head, heads.size() == 1);
      parts.add(part);
      if (head.weight() != 0) { // 0 times infinity is no number
        Node loss = part.nodes().loss();
        Node weighted = head.weight() == 1 ? loss : loss.then(new Affine(head.weight(), 0));
        total = total == null ? weighted : total.then(new Add(), weighted);
      }
    }
    if (total == null) {
      throw new CremaException(
          "The losses of all outputs have weight 0: nothing is trained. Give one a weight above 0.");
    }
    return new Objective(parts, total);
  }

  private static Part part(ModelGraph built, Head head, boolean only) {
    Node output = built.outputs().get(head.index());
    try {
      TensorType type = head.loss().target(output.type(), head.target());
      String input = inputName(built, only ? TARGET : TARGET + " of " + head.output());
      Node target = built.graph().input(input, type);
      return new Part(head, input, type, head.loss().build(output, target, head.classWeights()));
    } catch (CremaException e) {
      throw only ? e : new CremaException("Output '" + head.output() + "': " + e.getMessage(), e);
    }
  }

  /** A name that no input or layer of the model has. */
  private static String inputName(ModelGraph built, String name) {
    return built.values().containsKey(name) ? inputName(built, name + "'") : name;
  }

  /** What is read after a run: the given total, every loss, every output's scores. */
  Node[] outputs(Node sum) {
    List<Node> read = new ArrayList<>(List.of(sum));
    for (Part part : parts) {
      if (parts.size() > 1) {
        read.add(part.nodes().loss());
      }
      read.add(part.nodes().scores());
    }
    return read.toArray(new Node[0]);
  }
}
