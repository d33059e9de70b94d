package dev.crema.train;

import dev.crema.nn.Parameter;
import java.util.ArrayList;
import java.util.List;

/** The trained parameters as contiguous ranges of the flat buffer, each of one parameter group. */
final class Ranges {
  /**
   * A range.
   *
   * @param segments end of each tensor, counted from the start of the range
   */
  record Span(
      long offset,
      long length,
      double learningRateFactor,
      double weightDecay,
      List<Long> segments) {}

  private final List<Span> spans = new ArrayList<>();

  private Ranges() {}

  static Ranges of(List<Parameter> trained, Trainer trainer) {
    Ranges ranges = new Ranges();
    List<Parameter> run = new ArrayList<>();
    ParameterGroup group = null;
    for (Parameter p : trained) {
      ParameterGroup own = group(p, trainer);
      boolean joins = !run.isEmpty() && own == group && follows(run.get(run.size() - 1), p);
      if (!run.isEmpty() && !joins) {
        ranges.close(run, group);
      }
      group = own;
      run.add(p);
    }
    ranges.close(run, group);
    return ranges;
  }

  /** Tensors start at multiples of 16 floats; the gap between them holds zeros. */
  private static boolean follows(Parameter before, Parameter p) {
    long end = before.offset() + before.elements();
    return p.offset() >= end && p.offset() - end < 16;
  }

  private static ParameterGroup group(Parameter p, Trainer trainer) {
    String layer = p.path().substring(0, p.path().lastIndexOf('/'));
    for (ParameterGroup g : trainer.groups) {
      if (g.layers().contains(layer)) {
        return g;
      }
    }
    return null;
  }

  private void close(List<Parameter> run, ParameterGroup group) {
    if (run.isEmpty()) {
      return;
    }
    long offset = run.get(0).offset();
    List<Long> segments = run.stream().map(p -> p.offset() + p.elements() - offset).toList();
    long length = segments.get(segments.size() - 1);
    spans.add(
        new Span(
            offset,
            length,
            group == null ? 1 : group.learningRateFactor(),
            group == null ? Double.NaN : group.weightDecay(),
            segments));
    run.clear();
  }

  List<Span> spans() {
    return spans;
  }
}
