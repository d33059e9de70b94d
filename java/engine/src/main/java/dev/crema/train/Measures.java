package dev.crema.train;

import dev.crema.data.Dataset;
import dev.crema.eval.ClassificationMetrics;
import dev.crema.eval.MultiLabelMetrics;
import dev.crema.eval.RegressionMetrics;
import dev.crema.eval.Scores;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.nn.BuiltIn;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.stream.IntStream;

/** Gathers the metrics that fit what a model answers. */
final class Measures {
  /** Guesses of the top-k accuracy; of fewer classes all but one, for all are always right. */
  private static final int TOP_K = 5;

  private final Scores kind;
  private final int outputs;
  private final int answers;
  private ClassificationMetrics classification;
  private MultiLabelMetrics multiLabel;
  private RegressionMetrics regression;
  private final boolean fallible;
  private float[] probabilities = {};

  private Measures(Scores kind, int outputs, int answers, boolean fallible) {
    this.kind = kind;
    this.outputs = outputs;
    this.answers = answers;
    this.fallible = fallible;
  }

  /**
   * @param part the output in a graph
   * @param target what the data has for it
   * @param classNames empty where they are not known
   */
  static Measures of(Objective.Part part, Dataset.Slot target, List<String> classNames) {
    BuiltIn.Output answers = part.head().loss().answers();
    TensorType scores = part.nodes().scores().type();
    Scores kind = part.nodes().kind();
    int outputs = Math.toIntExact(scores.elements().perExample());
    boolean labels = answers == BuiltIn.Output.LABELS;
    boolean fallible = labels && target.type() == ElementType.FLOAT32;
    int classes = labels ? 1 : scores.rank() < 2 ? 1 : Math.toIntExact(scores.extent(-1));
    Measures m = new Measures(kind, outputs, outputs / classes, fallible);
    if (answers == BuiltIn.Output.CLASSES) {
      m.classification =
          named(ClassificationMetrics.builder(classes), classes, classNames)
              .scores(kind)
              .topK(Math.min(TOP_K, Math.max(1, classes - 1)))
              .build();
    } else if (labels && outputs == 1) {
      m.classification =
          named(ClassificationMetrics.binary(), 2, classNames).scores(kind).topK(1).build();
    } else if (labels) {
      m.multiLabel = new MultiLabelMetrics(names(target, outputs, "label"), kind);
    }
    if (fallible || answers == BuiltIn.Output.VALUES) {
      m.regression = regression(target, outputs);
    }
    return m;
  }

  private static ClassificationMetrics.Builder named(
      ClassificationMetrics.Builder builder, int classes, List<String> classNames) {
    return classNames.size() == classes ? builder.classNames(classNames) : builder;
  }

  private static RegressionMetrics regression(Dataset.Slot target, int outputs) {
    List<Dataset.Value> values = target.values();
    List<String> names = names(target, outputs, "output");
    return values.isEmpty()
        ? new RegressionMetrics(names)
        : new RegressionMetrics(
            names,
            values.stream().mapToDouble(Dataset.Value::mean).toArray(),
            values.stream().mapToDouble(Dataset.Value::deviation).toArray());
  }

  private static List<String> names(Dataset.Slot target, int outputs, String word) {
    if (!target.values().isEmpty()) {
      return target.values().stream().map(Dataset.Value::name).toList();
    }
    return outputs == 1
        ? List.of(word)
        : IntStream.range(0, outputs).mapToObj(i -> word + "_" + i).toList();
  }

  /** Takes a batch in: scores and targets from their first element on. */
  void add(FloatBuffer scores, ByteBuffer target, boolean sparse, int rows) {
    if (sparse) {
      classification.add(scores, target.asIntBuffer(), rows * answers);
      return;
    }
    FloatBuffer targets = target.asFloatBuffer();
    if (fallible && hasShares(targets, rows * outputs)) {
      classification = null;
      multiLabel = null;
    }
    if (regression != null) {
      regression.add(fallible ? probabilities(scores, rows * outputs) : scores, targets, rows);
    }
    if (classification != null) {
      classification.add(scores, targets, rows * answers);
    } else if (multiLabel != null) {
      multiLabel.add(scores, targets, rows);
    }
  }

  /** Whether a target is no label but a number between 0 and 1, such as a pixel. */
  private static boolean hasShares(FloatBuffer targets, int count) {
    for (int i = 0; i < count; i++) {
      float t = targets.get(i);
      if (t != 0 && t != 1) {
        return true;
      }
    }
    return false;
  }

  private FloatBuffer probabilities(FloatBuffer scores, int count) {
    if (kind == Scores.PROBABILITIES) {
      return scores;
    }
    if (probabilities.length < count) {
      probabilities = new float[count];
    }
    for (int i = 0; i < count; i++) {
      probabilities[i] = (float) (1 / (1 + Math.exp(-scores.get(i))));
    }
    return FloatBuffer.wrap(probabilities);
  }

  Evaluation evaluation(double loss, long examples) {
    boolean labels = classification != null || multiLabel != null;
    return new Evaluation(
        loss,
        examples,
        classification == null ? null : classification.report(),
        multiLabel == null ? null : multiLabel.report(),
        labels || regression == null ? null : regression.report());
  }
}
