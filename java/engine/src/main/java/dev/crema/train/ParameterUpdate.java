package dev.crema.train;

import dev.crema.graph.Assign;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.nn.Model;
import dev.crema.op.Clip;
import dev.crema.op.ClipScale;
import dev.crema.op.GlobalNorm;
import dev.crema.op.Mul;
import dev.crema.op.Where;
import java.util.ArrayList;
import java.util.List;

/**
 * The second half of a training step: gradients are averaged, freed of the loss's scale and
 * clipped, then the optimiser changes the parameters that are not pruned.
 *
 * @param moments that the optimiser keeps of each parameter
 * @param scaled null: the loss is not scaled
 */
record ParameterUpdate(Trainer trainer, int moments, ScaledLoss scaled) {
  void add(Graph graph, Ranges ranges) {
    Node scale = null;
    if (trainer.accumulate > 1) {
      scale = graph.variable("gradient_scale", Storage.HYPER, Hyper.SCALE, TensorType.of());
    }
    if (trainer.clipNorm > 0) {
      dropPrunedGradients(graph, ranges);
    }
    Node norm = trainer.clipNorm > 0 || scaled != null ? norm(graph) : null;
    if (scaled != null) {
      Optimizer o = trainer.optimizer;
      Node unscale = scaled.next(graph, norm, o.beta1(), o.beta2());
      scale = times(scale, unscale);
    }
    if (trainer.clipNorm > 0) {
      Node clip = times(scale, norm).then(new ClipScale(trainer.clipNorm));
      scale = times(scale, clip);
    }
    int index = 0;
    for (Ranges.Span span : ranges.spans()) {
      update(graph, span, index++, scale);
    }
  }

  private Node norm(Graph graph) {
    long all = trainer.model.parameters().byteSize() / 4;
    Node flat = graph.variable("gradients", Storage.GRADIENTS, 0, TensorType.of(all));
    return flat.then(new GlobalNorm());
  }

  /** The product; {@code b} alone if {@code a} is null. */
  private static Node times(Node a, Node b) {
    return a == null ? b : b.then(new Mul(), a);
  }

  /** Of the parameters in a range. */
  private void update(Graph graph, Ranges.Span span, int index, Node scale) {
    TensorType type = TensorType.of(span.length());
    Node g = graph.variable("gradients", Storage.GRADIENTS, span.offset(), type);
    Node rest = scale;
    if (trainer.clipValue > 0) {
      Clip clip = new Clip(-trainer.clipValue, trainer.clipValue);
      graph.apply(new Assign(false), g, times(scale, g).then(clip));
      rest = scaled == null ? null : graph.constant(1);
    }
    List<Node> in = new ArrayList<>();
    in.add(graph.variable("parameters", Storage.PARAMETERS, span.offset(), type));
    in.add(g);
    for (int i = 0; i < moments; i++) {
      in.add(graph.variable("moment" + i, Storage.moment(i), span.offset(), type));
    }
    Node hyper = Hyper.group(graph, index);
    in.add(scaled == null ? hyper : scaled.hyper(graph, hyper));
    in.add(scaled == null ? rest : scaled.gated(rest));
    if (isMasked(span)) {
      in.add(mask(graph, span));
    }
    Optimizer optimizer = trainer.optimizer;
    double decay = Double.isNaN(span.weightDecay()) ? optimizer.weightDecay() : span.weightDecay();
    graph.apply(optimizer.op(decay, span.segments()), in.toArray(new Node[0]));
  }

  /** The gradients of pruned parameters don't count in the norm of all. */
  private void dropPrunedGradients(Graph graph, Ranges ranges) {
    for (Ranges.Span span : ranges.spans()) {
      if (isMasked(span)) {
        TensorType type = TensorType.of(span.length());
        Node g = graph.variable("gradients", Storage.GRADIENTS, span.offset(), type);
        Node kept = mask(graph, span).then(new Where(), g, graph.constant(0));
        graph.apply(new Assign(false), g, kept);
      }
    }
  }

  private static Node mask(Graph graph, Ranges.Span span) {
    return graph.variable("masks", Storage.MASKS, span.offset(), TensorType.of(span.length()));
  }

  private boolean isMasked(Ranges.Span span) {
    Model model = trainer.model;
    return model.masks().paths().stream()
        .mapToLong(path -> model.table().get(path).offset() - span.offset())
        .anyMatch(at -> at >= 0 && at < span.length());
  }
}
