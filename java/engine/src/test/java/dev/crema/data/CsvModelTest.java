package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CsvModelTest extends CsvFiles {
  @Test
  void aTrainedModelsTableReadsOtherFiles() {
    TablePreprocessing table = table(open(MIXED));
    Path reordered = file("label,colour,more,size\nno,blue,x,3\nyes,green,y,5\n");
    float d = (float) (2 / Math.sqrt(8 / 3.0));
    Dataset labelled = Datasets.open(reordered, table, DataOptions.defaults());
    assertThat(Rows.all(labelled))
        .containsExactly(List.of(0f, 1f, 0f, 0f, 0f), List.of(d, 0f, 0f, 0f, 1f));
    assertThat(labelled.classNames()).containsExactly("no", "yes");
    Dataset streamed =
        Datasets.open(reordered, table, DataOptions.builder().memoryLimit(0).build());
    assertThat(Rows.all(streamed)).isEqualTo(Rows.all(labelled));
    Dataset bare = Datasets.open(file("size,colour\n3,blue\n"), table, DataOptions.defaults());
    assertThat(bare.target()).isNull();
    assertThat(Rows.all(bare)).containsExactly(List.of(0f, 1f, 0f, 0f));
    assertThat(Rows.all(Datasets.open(file("3,blue\n"), table, DataOptions.defaults())))
        .containsExactly(List.of(0f, 1f, 0f, 0f));
    assertThat(Rows.all(Datasets.open(file("3,blue,yes\n"), table, DataOptions.defaults())))
        .containsExactly(List.of(0f, 1f, 0f, 0f, 1f));
    assertThatThrownBy(() -> Datasets.open(file("size\n3\n"), table, DataOptions.defaults()))
        .hasMessageContaining("no column colour, which the model needs");
    assertThatThrownBy(
            () ->
                Datasets.open(
                    file("size,colour,label\n3,blue,maybe\n"), table, DataOptions.defaults()))
        .hasMessageContaining("line 2, column 3 (label): expected one of the classes [no, yes]");
  }

  @Test
  void toPredictForTheLabelsOfAFileDoNotMatter() {
    TablePreprocessing table = table(open(MIXED));
    Path file = file("size,colour,label\n3,blue,maybe\n3,blue,\n");
    for (long limit : new long[] {1 << 20, 0}) {
      DataOptions options = DataOptions.builder().memoryLimit(limit).build();
      Dataset data = Datasets.unlabelled(file, table, options);
      assertThat(data.target()).isNull();
      assertThat(data.classNames()).isEmpty();
      assertThat(Rows.all(data)).containsExactly(List.of(0f, 1f, 0f, 0f), List.of(0f, 1f, 0f, 0f));
    }
  }

  @Test
  void rowsOfTextAreEncodedLikeTheFile() {
    RowEncoder encoder = table(open(MIXED)).encoder();
    assertThat(encoder.encode(Map.of("size", " 3 ", "colour", "red"))).containsExactly(0, 0, 1, 0);
    assertThat(encoder.encode(Map.of("size", "NaN", "colour", ""))).containsExactly(0, 0, 0, 1);
    assertThat(encoder.unseen()).isZero();
    assertThat(encoder.encode(Map.of("size", "3", "colour", "pink"))).containsExactly(0, 0, 0, 0);
    assertThat(encoder.unseen()).isEqualTo(1);
    assertThatThrownBy(() -> encoder.encode(Map.of("size", "3")))
        .hasMessageContaining("Column colour is missing");
    assertThatThrownBy(() -> encoder.encode(Map.of("size", "big", "colour", "red")))
        .hasMessage("Column size: expected a number, found \"big\"");
  }
}
