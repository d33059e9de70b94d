package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Dim;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.ArrayList;
import java.util.List;

/**
 * Rows of a table by id: ids [n, ..] of int32 or int64 and a table [v, d] give [n, .., d]. An id
 * outside [0, v) ends the run with a {@link dev.crema.device.KernelException} that says which.
 *
 * @param padding the id that reads as zeros and gets no gradient; {@link #NONE} for none
 */
public record Embedding(long padding) implements Op {
  public static final long NONE = -1;

  public Embedding() {
    this(NONE);
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType ids = Gather.requireIndices(in.get(0), "ids");
    TensorType table = in.get(1).requireRank(2, "the table");
    table.requireElement(ElementType.FLOAT32, "the table");
    List<Dim> dims = new ArrayList<>(ids.dims());
    dims.add(table.dim(1));
    return List.of(table.withDims(dims));
  }

  @Override
  public void attributes(Attributes a) {
    a.ints(padding);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    Node ids = y.input(0);
    g.add(y.input(1), ids.then(new EmbeddingGrad(padding, y.input(1).type()), dy.get(0)));
  }
}
