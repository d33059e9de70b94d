package dev.crema.train;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.graph.Constant;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.op.Abs;
import dev.crema.op.ReduceMean;
import dev.crema.op.Softmax;
import dev.crema.op.SoftmaxCrossEntropy;
import dev.crema.op.Square;
import dev.crema.op.Sub;
import java.util.List;
import java.util.Locale;

/** The losses that Crema has. */
public final class Losses {
  /** What {@link #of} knows. */
  public static final List<String> NAMES =
      List.of("sparse_categorical_crossentropy", "categorical_crossentropy", "mse", "mae");

  private Losses() {}

  /** Cross-entropy of softmax against class numbers (int32). */
  public static Loss sparseCategoricalCrossentropy() {
    return new CategoricalCrossentropy(true, 0);
  }

  /** Cross-entropy of softmax against probabilities of the classes (one-hot). */
  public static Loss categoricalCrossentropy() {
    return new CategoricalCrossentropy(false, 0);
  }

  /** Mean of squared differences. */
  public static Loss meanSquaredError() {
    return new Difference("mse");
  }

  /** Mean of absolute differences. */
  public static Loss meanAbsoluteError() {
    return new Difference("mae");
  }

  /** By name, as the command line and model files have it. */
  public static Loss of(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "sparse_categorical_crossentropy" -> sparseCategoricalCrossentropy();
      case "categorical_crossentropy" -> categoricalCrossentropy();
      case "mse" -> meanSquaredError();
      case "mae" -> meanAbsoluteError();
      default ->
          throw new IllegalArgumentException("There is no loss '" + name + "'; there are " + NAMES);
    };
  }

  static Loss infer(Node output, Dataset.Slot target) {
    if (target == null) {
      throw new CremaException("The data has no target: nothing to train for");
    }
    if (target.type() == ElementType.INT32) {
      return sparseCategoricalCrossentropy();
    }
    return output.op() instanceof Softmax ? categoricalCrossentropy() : meanSquaredError();
  }

  /**
   * Takes the model's logits: where its output is a softmax, what goes into that.
   *
   * @param sparse whether targets are class numbers
   */
  public record CategoricalCrossentropy(boolean sparse, double labelSmoothing) implements Loss {
    @Override
    public String name() {
      return sparse ? "sparse_categorical_crossentropy" : "categorical_crossentropy";
    }

    public CategoricalCrossentropy withLabelSmoothing(double amount) {
      return new CategoricalCrossentropy(sparse, amount);
    }

    @Override
    public TensorType target(TensorType output) {
      return sparse
          ? new TensorType(ElementType.INT32, output.dims().subList(0, output.rank() - 1))
          : output;
    }

    @Override
    public boolean isClassification() {
      return true;
    }

    @Override
    public Nodes build(Node output, Node target, float[] classWeights) {
      Node logits = output.op() instanceof Softmax ? output.application().input(0) : output;
      Node weights =
          classWeights == null ? null : output.graph().add(Constant.vector(classWeights));
      Node loss = logits.then(new SoftmaxCrossEntropy(labelSmoothing), target, weights);
      return new Nodes(loss, logits);
    }
  }

  /** A mean over differences: {@code mse} or {@code mae}. */
  public record Difference(String name) implements Loss {
    @Override
    public TensorType target(TensorType output) {
      return output;
    }

    @Override
    public boolean isClassification() {
      return false;
    }

    @Override
    public Nodes build(Node output, Node target, float[] classWeights) {
      if (classWeights != null) {
        throw new CremaException("Class weights make no sense for a regression (" + name + ")");
      }
      Node d = output.then(new Sub(), target);
      Node term = name.equals("mse") ? d.then(new Square()) : d.then(new Abs());
      return new Nodes(ReduceMean.all(term), output);
    }
  }
}
