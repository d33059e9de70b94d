package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.data.Mnist;
import dev.crema.data.Order;
import dev.crema.device.Device;
import dev.crema.eval.drift.Drift;
import dev.crema.eval.drift.Reference;
import dev.crema.eval.drift.ReferenceFormat;
import dev.crema.memory.Shape;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.Model;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TrainingReferenceTest {
  private static Reference of(Model model, Dataset data) {
    return TrainingReference.of(model, data, 1, 1, Device.cpu());
  }

  private static Model network(Dataset data, BuiltIn.Output kind, int outputs) {
    long[] shape = data.inputs().get(0).shape().dims();
    return Model.of(BuiltIn.topology("mlp:8", shape, kind, outputs), 3);
  }

  private static List<float[]> rows(Dataset data) {
    List<float[]> rows = new ArrayList<>();
    Dataset.Slot slot = data.inputs().get(0);
    ByteBuffer memory = ByteBuffer.allocateDirect(slot.rowBytes()).order(ByteOrder.nativeOrder());
    try (Dataset.Reader reader = data.reader(Order.sequential())) {
      while (reader.read(List.of(memory), 1) == 1) {
        float[] row = new float[slot.width()];
        memory.asFloatBuffer().get(0, row);
        rows.add(row);
      }
    }
    return rows;
  }

  @Test
  void countsAreThoseOfEveryValueAndEveryPrediction() {
    Dataset digits = Mnist.sample10x10().train().take(1500);
    try (Model model = network(digits, BuiltIn.Output.CLASSES, 10)) {
      Reference reference = of(model, digits);
      assertThat(reference.examples()).isEqualTo(1500);
      List<float[]> rows = rows(digits);
      Reference.Tensor input = reference.inputs().get(0);
      assertThat(input.features()).hasSize(100);
      for (Reference.Feature feature : input.features()) {
        long[] counts = new long[feature.bins().count()];
        rows.forEach(row -> counts[feature.bins().of(row[feature.position()])]++);
        assertThat(feature.counts()).isEqualTo(counts);
        assertThat(counts[0] + counts[feature.bins().above()]).isZero();
      }
      long[] told = new long[10];
      for (float[] row : rows) {
        float[] scores = model.predict(row);
        int best = 0;
        for (int i = 1; i < 10; i++) {
          best = scores[i] > scores[best] ? i : best;
        }
        told[best]++;
      }
      assertThat(reference.outputs().get(0).classes().counts()).isEqualTo(told);
      assertThat(reference.outputs().get(0).classes().names()).hasSize(10).startsWith("0", "1");
    }
  }

  @Test
  void otherDigitsOfTheSameKindDriftLittleAndInvertedOnesMuch() {
    Mnist digits = Mnist.sample10x10();
    Dataset inverted =
        digits
            .test()
            .map(
                "x",
                Shape.of(100),
                (from, to) -> {
                  for (int i = 0; i < 100; i++) {
                    to[i] = 1 - from[i];
                  }
                });
    try (Model model = network(digits.train(), BuiltIn.Output.CLASSES, 10)) {
      Reference reference = of(model, digits.train());
      assertThat(greatest(reference, rows(digits.test()))).isLessThan(0.1);
      assertThat(greatest(reference, rows(inverted))).isGreaterThan(1);
    }
  }

  private static double greatest(Reference reference, List<float[]> rows) {
    double most = 0;
    for (Reference.Feature feature : reference.inputs().get(0).features()) {
      long[] counts = new long[feature.bins().count()];
      rows.forEach(row -> counts[feature.bins().of(row[feature.position()])]++);
      most = Math.max(most, Drift.stabilityIndex(feature.counts(), counts));
    }
    return most;
  }

  @Test
  void numbersThatAModelTellsHaveAHistogramAndMissingInputsAreCounted() {
    float[][] inputs = new float[300][];
    float[][] targets = new float[300][];
    for (int i = 0; i < inputs.length; i++) {
      inputs[i] = new float[] {i % 3 == 0 ? Float.NaN : i, Float.NaN};
      targets[i] = new float[] {i};
    }
    Dataset data = Datasets.regression(inputs, targets);
    try (Model model = network(data, BuiltIn.Output.VALUES, 1)) {
      Reference reference = of(model, data);
      Reference.Feature first = reference.inputs().get(0).features().get(0);
      assertThat(first.counts()[first.bins().missing()]).isEqualTo(100);
      Reference.Feature second = reference.inputs().get(0).features().get(1);
      assertThat(second.counts()[second.bins().missing()]).isEqualTo(300);
      Reference.Tensor output = reference.outputs().get(0);
      assertThat(output.classes()).isNull();
      assertThat(output.features()).hasSize(1);
      // An example with NaN gives NaN.
      Reference.Feature told = output.features().get(0);
      assertThat(told.counts()[told.bins().missing()]).isEqualTo(300);
    }
  }

  @Test
  void itIsSavedWithTheModel() {
    Dataset digits = Mnist.sample10x10().train().take(200);
    try (Model model = network(digits, BuiltIn.Output.CLASSES, 10)) {
      TrainingReference.store(model, digits, 1, 1, Device.cpu());
      Reference back = ReferenceFormat.read(model.metadata().get(Reference.KEY));
      assertThat(back.examples()).isEqualTo(200);
      assertThat(ReferenceFormat.write(back)).isEqualTo(ReferenceFormat.write(of(model, digits)));
    }
  }

  @Test
  void ofAWideInputSomeEvenlySpacedElementsAreCounted() {
    float[][] inputs = new float[20][5000];
    int[] labels = new int[20];
    for (int i = 0; i < 20; i++) {
      inputs[i][i] = i;
      labels[i] = i % 2;
    }
    Dataset data = Datasets.of(inputs, labels);
    try (Model model = network(data, BuiltIn.Output.CLASSES, 2)) {
      List<Reference.Feature> features = of(model, data).inputs().get(0).features();
      assertThat(features).hasSize(48);
      assertThat(features.get(47).position()).isEqualTo((int) (47L * 5000 / 48));
    }
  }
}
