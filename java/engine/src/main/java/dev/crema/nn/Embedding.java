package dev.crema.nn;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * A vector for each id: int32 or int64 [n, ...] → [n, ..., units]. Parameter: table [vocabulary,
 * units].
 *
 * @param vocabulary how many ids there are; an id outside [0, vocabulary) is an error when it is
 *     met
 * @param units elements of a vector
 * @param padding the id that gives zeros and is not trained; null: none
 * @param tableInitializer null: uniform in [-0.05, 0.05), as Keras
 * @param tableRegularizer null: none
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Embedding(
    int vocabulary,
    int units,
    Long padding,
    Initializer tableInitializer,
    Regularizer tableRegularizer)
    implements Layer {
  public Embedding {
    ConvSettings.requirePositive("vocabulary", vocabulary);
    ConvSettings.requirePositive("units", units);
    if (padding != null && (padding < 0 || padding >= vocabulary)) {
      throw new ShapeException("padding must be an id in [0, " + vocabulary + "), got " + padding);
    }
    tableInitializer =
        tableInitializer == null ? new Initializer.Uniform(-0.05, 0.05) : tableInitializer;
  }

  public static Embedding of(int vocabulary, int units) {
    return new Embedding(vocabulary, units, null, null, null);
  }

  public Embedding withPadding(long id) {
    return new Embedding(vocabulary, units, id, tableInitializer, tableRegularizer);
  }

  public Embedding withTableInitializer(Initializer initializer) {
    return new Embedding(vocabulary, units, padding, initializer, tableRegularizer);
  }

  public Embedding withTableRegularizer(Regularizer regularizer) {
    return new Embedding(vocabulary, units, padding, tableInitializer, regularizer);
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    Node x = inputs.get(0);
    ElementType element = x.type().element();
    if (element != ElementType.INT32 && element != ElementType.INT64) {
      throw context.refuse(
          "whole-number ids [n, ...] of type int32 or int64",
          x,
          "Declare the model's input as int32.");
    }
    Node table = context.parameter("table", tableInitializer, tableRegularizer, vocabulary, units);
    long zero = padding == null ? dev.crema.op.Embedding.NONE : padding;
    return context.rows(x.then(new dev.crema.op.Embedding(zero), table));
  }
}
