package dev.crema.eval;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ReportTextTest {
  private static ClassificationReport animals() {
    var metrics =
        ClassificationMetrics.builder(3)
            .classNames(List.of("cat", "dog", "a bird with a name that does not end"))
            .topK(2)
            .build();
    float[] scores = {.7f, .2f, .1f, .2f, .6f, .2f, .1f, .2f, .7f, .5f, .3f, .2f};
    metrics.add(scores, new int[] {0, 1, 2, 1});
    return metrics.report();
  }

  @Test
  void aReportIsATableWithTheConfusionMatrixBelow() {
    assertThat(animals())
        .hasToString(
            """
            class                     precision  recall      F1  support  ROC AUC

            cat                          0.5000  1.0000  0.6667        1   1.0000
            dog                          1.0000  0.5000  0.6667        2   1.0000
            a bird with a name that…     1.0000  1.0000  1.0000        1   1.0000

            accuracy                                     0.7500        4
            micro average                0.7500  0.7500  0.7500        4
            macro average                0.8333  0.8333  0.7778        4
            weighted average             0.8750  0.7500  0.7500        4

            top-2 accuracy         1.0000
            log loss               0.6070
            ROC AUC (one vs rest)  1.0000
            calibration error      0.3750

            actual \\ predicted  cat  dog  a bird wi…

            cat                   1    0           0
            dog                   1    1           0
            a bird with a n…      0    0           1
            """);
  }

  @Test
  void aReportIsJsonThatAnyParserReads() throws Exception {
    var json = new ObjectMapper().readTree(animals().toJson().toString());
    assertThat(json.get("accuracy").asDouble()).isEqualTo(0.75);
    assertThat(json.get("topK").asInt()).isEqualTo(2);
    assertThat(json.get("classes")).hasSize(3);
    assertThat(json.get("classes").get(1).get("support").asInt()).isEqualTo(2);
    assertThat(json.get("confusionMatrix").get("counts").toString())
        .isEqualTo("[[1,0,0],[1,1,0],[0,0,1]]");
    assertThat(json.get("calibration").get("bins")).hasSize(15);
    assertThat(json.get("warnings")).isEmpty();
  }

  @Test
  void manyClassesShowTheirMostFrequentConfusions() {
    var metrics = ClassificationMetrics.builder(30).build();
    float[] scores = new float[30 * 40];
    int[] labels = IntStream.range(0, 40).map(i -> i % 30).toArray();
    for (int r = 0; r < 40; r++) {
      scores[r * 30 + (labels[r] == 7 ? 11 : labels[r] == 12 ? 3 : labels[r])] = 1;
    }
    metrics.add(scores, labels);
    String text = metrics.report().confusion().toString();
    assertThat(text.lines().toList())
        .containsExactly(
            "actual  predicted as  examples",
            "",
            "7       11                   2",
            "12      3                    1");
  }
}
