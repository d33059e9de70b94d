package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Dim;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * Mean cross-entropy of softmax(logits). Inputs: logits [n, k]; labels int32 [n], or probabilities
 * float32 [n, k]; class weights [k] (optional). Outputs: the loss, a scalar; its gradient in the
 * logits; the loss of each example [n]. With labels and weights the mean is over the weights (as
 * PyTorch). Logits may be 16-bit: losses are float32, and the gradient of bfloat16's logits is
 * bfloat16. That of float16's is float32, for it is small until it has been scaled.
 *
 * @param labelSmoothing e: the target is (1 − e) · target + e / k (Szegedy et al. 2016)
 */
public record SoftmaxCrossEntropy(double labelSmoothing) implements Op {
  public SoftmaxCrossEntropy {
    if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
      throw new ShapeException("label smoothing lies in [0, 1), got " + labelSmoothing);
    }
  }

  @Override
  public boolean mayLack(int input) {
    return input == 2;
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType given = in.get(0).requireRank(2, "logits").requireFloating("logits");
    TensorType logits = given.withElement(ElementType.FLOAT32);
    TensorType labels = in.get(1);
    boolean sparse = labels.element() == ElementType.INT32;
    if (sparse ? !labels.dims().equals(List.of(logits.dim(0))) : !labels.equals(logits)) {
      throw new ShapeException(
          "logits "
              + logits
              + " need labels ["
              + logits.dim(0)
              + "] int32 or probabilities "
              + logits
              + ", got "
              + labels);
    }
    if (in.get(2) != null && !in.get(2).equals(logits.withDims(List.of(logits.dim(1))))) {
      throw new ShapeException(
          "there are " + logits.dim(1) + " classes but class weights " + in.get(2));
    }
    Dim n = logits.dim(0);
    TensorType slope = given.element() == ElementType.FLOAT16 ? logits : given;
    return List.of(TensorType.of(), slope, logits.withDims(List.of(n)));
  }

  @Override
  public void attributes(Attributes a) {
    a.floats(labelSmoothing);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    if (dy.get(0) == null || dy.get(1) != null || dy.get(2) != null) {
      throw new ShapeException("only the mean loss has a gradient");
    }
    g.add(
        y.input(0),
        dy.get(0).op() instanceof dev.crema.graph.Constant one && one.values()[0] == 1
            ? y.output(1)
            : y.output(1).then(new Mul(), dy.get(0)));
  }
}
