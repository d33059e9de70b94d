package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class CsvStreamTest extends CsvFiles {
  @Test
  void theValidationPartIsStratifiedAndTeachesNothing() {
    DataOptions options = DataOptions.builder().validationSplit(0.2).seed(7).build();
    LoadedData data = Csv.open(file(numbered(1000)), options);
    assertThat(data.train().size()).isEqualTo(800);
    assertThat(ClassWeights.counts(data.validation())).containsExactly(150, 50);
    List<List<Float>> train = Rows.all(data.train());
    assertThat(train.stream().mapToDouble(r -> r.get(0)).average().orElseThrow())
        .isCloseTo(0, within(1e-5));
    assertThat(
            Math.abs(
                Rows.all(data.validation()).stream()
                    .mapToDouble(r -> r.get(0))
                    .average()
                    .orElseThrow()))
        .isGreaterThan(1e-4);
  }

  @Test
  void greatFilesAreReadFromDiskAndGiveTheSameRows() {
    Path file = file(numbered(3000));
    List<List<Float>> kept = Rows.all(Csv.open(file, DataOptions.defaults()).train());
    LoadedData streamed =
        Csv.open(file, DataOptions.builder().memoryLimit(1000).shuffleWindow(64).build());
    assertThat(streamed.train()).isInstanceOf(StreamDataset.class);
    assertThat(streamed.train().size()).isEqualTo(3000);
    assertThat(Rows.all(streamed.train())).isEqualTo(kept);
    List<List<Float>> shuffled = Rows.all(streamed.train(), Order.shuffled(4), 32);
    assertThat(shuffled).isNotEqualTo(kept).containsExactlyInAnyOrderElementsOf(kept);
    assertThat(Rows.all(streamed.train(), Order.shuffled(4), 7)).isEqualTo(shuffled);
  }

  @Test
  void streamsSplitByTheHashOfARow() {
    Path file = file(numbered(3000));
    DataOptions options =
        DataOptions.builder().memoryLimit(0).validationSplit(0.25).seed(3).build();
    LoadedData data = Csv.open(file, options);
    List<List<Float>> train = Rows.all(data.train());
    List<List<Float>> validation = Rows.all(data.validation());
    assertThat((long) train.size()).isEqualTo(data.train().size());
    assertThat((long) validation.size()).isEqualTo(data.validation().size()).isBetween(650L, 850L);
    HashSet<List<Float>> all = new HashSet<>(train);
    all.addAll(validation);
    assertThat(all).hasSize(3000);
    assertThat(train.stream().mapToDouble(r -> r.get(0)).average().orElseThrow())
        .isCloseTo(0, within(1e-5));
    assertThat(Rows.all(Csv.open(file, options).validation())).isEqualTo(validation);
  }

  @Test
  void severalLabelColumnsAreReadFromDiskLikeFromMemory() {
    StringBuilder text = new StringBuilder("wet,x,hot,price\n");
    for (int i = 0; i < 500; i++) {
      text.append(i % 2 == 0 ? "no," : "yes,").append(i * 0.5).append(',').append(i % 3 / 2);
      text.append(",\"$").append(1000 + i).append(".50\"\n");
    }
    Path file = file(text.toString());
    for (String labels : List.of("hot,wet", "price,x", "price")) {
      DataOptions.Builder options = DataOptions.builder().label(labels);
      LoadedData kept = Csv.open(file, options.build());
      LoadedData streamed = Csv.open(file, options.memoryLimit(0).build());
      assertThat(streamed.train()).isInstanceOf(StreamDataset.class);
      assertThat(streamed.preprocessing()).isEqualTo(kept.preprocessing());
      assertThat(streamed.train().target()).isEqualTo(kept.train().target());
      assertThat(streamed.train().target().shape().elements()).isEqualTo(labels.split(",").length);
      assertThat(Rows.all(streamed.train())).as(labels).isEqualTo(Rows.all(kept.train()));
    }
  }
}
