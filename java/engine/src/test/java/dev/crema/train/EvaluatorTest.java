package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Reports that fit the task; the models pass their inputs through, so the answers are known. */
class EvaluatorTest {
  private static Model identity(int units, Activation last) {
    Model model = Model.sequential(units).dense(units, last).build(1);
    float[] kernel = new float[units * units];
    for (int i = 0; i < units; i++) {
      kernel[i * units + i] = 1;
    }
    String layer = model.table().all().iterator().next().path().replace("/kernel", "");
    model.set(layer + "/kernel", kernel);
    model.set(layer + "/bias", new float[units]);
    return model;
  }

  private static Evaluation evaluate(Model model, Dataset data) {
    try (Evaluator evaluator = Evaluator.of(model, data)) {
      return evaluator.evaluate(data);
    }
  }

  private static final float[][] LOGITS = {{2}, {-1}, {3}, {-2}, {1}};

  @Test
  void aSigmoidOfOneUnitIsABinaryClassifier() {
    try (Model model = identity(1, Activation.SIGMOID)) {
      Dataset named = Datasets.of(LOGITS, new int[] {1, 0, 1, 1, 0}, List.of("no", "yes"));
      Evaluation e = evaluate(model, named);
      assertThat(e.classification().accuracy()).isEqualTo(0.6);
      assertThat(e.classification().classes().get(1).name()).isEqualTo("yes");
      assertThat(e.classification().classes().get(1).precision()).isEqualTo(2 / 3.0);
      assertThat(e.classification().classes().get(1).recall()).isEqualTo(2 / 3.0);
      assertThat(e.classification().classes().get(1).f1()).isEqualTo(2 / 3.0);
      // Of the six pairs of a positive and a negative, four have the positive higher.
      assertThat(e.classification().rocAuc()).isEqualTo(4 / 6.0);
      double loss = 0;
      double[] margins = {2, 1, 3, -2, -1};
      for (double m : margins) {
        loss += Math.log1p(Math.exp(-m)) / margins.length;
      }
      assertThat(e.loss()).isCloseTo(loss, within(1e-6));
      assertThat(e.toString())
          .contains("yes", "ROC AUC", "calibration error")
          .doesNotContain("top-");

      Dataset numbers = Datasets.regression(LOGITS, new float[][] {{1}, {0}, {1}, {1}, {0}});
      Evaluation same = evaluate(model, numbers);
      assertThat(same.loss()).isEqualTo(e.loss());
      assertThat(same.classification().accuracy()).isEqualTo(0.6);
    }
  }

  @Test
  void severalSigmoidsAreLabelsEachByItself() {
    try (Model model = identity(2, Activation.SIGMOID)) {
      float[][] x = {{2, -1}, {-3, 4}, {1, 1}};
      float[][] y = {{1, 0}, {0, 0}, {1, 1}};
      Evaluation e = evaluate(model, Datasets.regression(x, y));
      assertThat(e.multiLabel().exactMatch()).isEqualTo(2 / 3.0);
      assertThat(e.multiLabel().labelAccuracy()).isEqualTo(5 / 6.0);
      assertThat(e.multiLabel().labels()).extracting("name").containsExactly("label_0", "label_1");
      assertThat(e.mainMetrics()).containsEntry("accuracy", 5 / 6.0);
      assertThat(e.toJson().at("/multi_label/labels/1/precision").asDouble()).isEqualTo(0.5);
    }
  }

  @Test
  void sharesAsTargetsOfASigmoidAreMeasuredAsNumbers() {
    try (Model model = identity(2, Activation.SIGMOID)) {
      float[][] x = {{0, 0}, {0, 0}};
      float[][] y = {{1, 0}, {0.25f, 0.5f}}; // as the pixels of an autoencoder
      Evaluation e = evaluate(model, Datasets.regression(x, y));
      assertThat(e.multiLabel()).isNull();
      assertThat(e.regression().rows()).isEqualTo(2);
      assertThat(e.regression().mae()).isCloseTo((0.5 + 0.5 + 0.25 + 0) / 4, within(1e-7));
    }
  }

  @Test
  void everyOutputOfARegressionIsMeasured() {
    try (Model model = identity(3, Activation.LINEAR)) {
      float[][] x = {{1, 2, 3}, {4, 5, 6}};
      float[][] y = {{1, 3, 3}, {4, 6, 8}};
      Evaluation e = evaluate(model, Datasets.regression(x, y));
      assertThat(e.regression().outputs()).extracting("mae").containsExactly(0.0, 1.0, 1.0);
    }
  }

  @Test
  void aClassifiersReportHasEveryMetricInTextAndJson() {
    try (Model model = identity(3, Activation.SOFTMAX)) {
      float[][] x = {{2, 1, 0}, {0, 3, 1}, {1, 0, 2}, {2, 1, 0}};
      Evaluation e = evaluate(model, Datasets.of(x, new int[] {0, 1, 2, 1}));
      assertThat(e.toString())
          .contains(
              "loss",
              "accuracy",
              "top-2 accuracy",
              "precision",
              "recall",
              "F1",
              "macro average",
              "micro average",
              "weighted average",
              "ROC AUC",
              "calibration error",
              "actual");
      JsonNode json = e.toJson();
      assertThat(json.get("loss").isNumber()).isTrue();
      JsonNode report = json.get("classification");
      for (String name :
          List.of(
              "accuracy",
              "topK",
              "topKAccuracy",
              "macro",
              "micro",
              "weighted",
              "rocAuc",
              "logLoss",
              "expectedCalibrationError",
              "classes",
              "confusionMatrix")) {
        assertThat(report.has(name)).as(name).isTrue();
      }
      for (String name : List.of("precision", "recall", "f1")) {
        assertThat(report.at("/macro/" + name).isNumber()).as(name).isTrue();
        assertThat(report.at("/micro/" + name).isNumber()).as(name).isTrue();
        assertThat(report.at("/classes/0/" + name).isNumber()).as(name).isTrue();
      }
    }
  }

  @Test
  void targetsThatDoNotFitAreRefused() {
    try (Model model = identity(2, Activation.LINEAR)) {
      float[][] x = {{1, 2}};
      assertThatThrownBy(() -> evaluate(model, Datasets.unlabelled(x)))
          .isInstanceOf(CremaException.class)
          .hasMessage("The data has no target to compare with");
      assertThatThrownBy(() -> evaluate(model, Datasets.regression(x, new float[][] {{1}})))
          .hasMessageContaining("[n, 1]");
      Dataset fits = Datasets.regression(x, x);
      try (Evaluator evaluator = Evaluator.of(model, fits)) {
        assertThatThrownBy(() -> evaluator.evaluate(Datasets.of(x, new int[] {1})))
            .hasMessageContaining("compares with targets");
      }
    }
  }
}
