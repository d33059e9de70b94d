package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class CsvLabelsTest extends CsvFiles {
  @Test
  void choosesTheLabelByNameThenTheLastColumn() {
    assertThat(table(open("Target,x\nu,1\nv,2\n")).target().name()).isEqualTo("Target");
    assertThat(table(open("p,q\n1,u\n2,v\n")).target().name()).isEqualTo("q");
    Path file = file("p,q\nu,1\nv,2\n");
    for (String label : List.of("p", "P", "0", "-2")) {
      DataOptions options = DataOptions.builder().label(label).build();
      assertThat(table(Csv.open(file, options)).target().name()).isEqualTo("p");
    }
    assertThatThrownBy(() -> Csv.open(file, DataOptions.builder().label("r").build()))
        .hasMessageEndingWith("has no column r; its columns are [p, q]");
  }

  @Test
  void tellsClassesFromValues() {
    assertThat(open("x,y\n1,true\n2,false\n").train().classNames())
        .containsExactly("false", "true");
    assertThat(open("x,y\n1,10\n2,9\n3,10\n4,9.0\n5,9\n6,10\n").train().classNames())
        .containsExactly("9", "10");
    assertThat(open("x,y\n1,0.5\n2,1\n3,1\n4,0.5\n").train().classNames()).isEmpty();
    assertThat(open("x,y\n1,10\n2,20\n3,30\n4,41\n").train().classNames()).isEmpty();
    Path file = file("x,y\n1,10\n2,9\n3,10\n4,9\n");
    DataOptions regression = DataOptions.builder().task(Task.REGRESSION).build();
    assertThat(Rows.last(Csv.open(file, regression).train())).containsExactly(1f, -1f, 1f, -1f);
    Path few = file("x,y\n1,10\n2,9\n");
    DataOptions classes = DataOptions.builder().task(Task.CLASSIFICATION).build();
    assertThat(Rows.last(Csv.open(few, classes).train())).containsExactly(1f, 0f);
    assertThatThrownBy(() -> Csv.open(file("x,y\n1,u\n2,v\n"), regression))
        .hasMessageContaining("can't be a regression");
  }

  /** The last two numbers of every row. */
  private static float[][] targets(Dataset data) {
    return Rows.all(data).stream()
        .map(row -> new float[] {row.get(row.size() - 2), row.get(row.size() - 1)})
        .toArray(float[][]::new);
  }

  private static final String LABELS = "wet,x,hot,y\nno,1,0,5\nyes,2,1,6\nno,3,1,7\nyes,4,0,8\n";

  @Test
  void severalLabelColumnsComeInTheOrderAskedFor() {
    Path file = file(LABELS);
    LoadedData data = Csv.open(file, DataOptions.builder().label("hot, wet").build());
    assertThat(data.train().target().values())
        .extracting(Dataset.Value::name)
        .containsExactly("hot", "wet");
    assertThat(targets(data.train())).isDeepEqualTo(new float[][] {{0, 0}, {1, 1}, {1, 0}, {0, 1}});
    TablePreprocessing table = table(data);
    assertThat(table.isMultiLabel()).isTrue();
    assertThat(table.fileColumns()).containsExactly("wet", "x", "hot", "y");
    assertThat(Preprocessing.fromJson(table.toJson())).isEqualTo(table);

    Dataset headerless =
        Csv.open(file(LABELS.substring(LABELS.indexOf('\n') + 1)), table, DataOptions.defaults());
    assertThat(targets(headerless)).isDeepEqualTo(targets(data.train()));
    assertThat(Csv.open(file("y,x\n5,1\n"), table, DataOptions.defaults()).target()).isNull();
    assertThatThrownBy(
            () -> Csv.open(file("y,x,hot,wet\n5,1,2,no\n"), table, DataOptions.defaults()))
        .hasMessageContaining("column 3 (hot): expected one of the classes [0, 1], found \"2\"");
  }

  @Test
  void severalNumbersAreStandardisedEachByItself() {
    LoadedData data = Csv.open(file(LABELS), DataOptions.builder().label("y,x").build());
    float[][] targets = targets(data.train());
    for (int row = 0; row < 4; row++) {
      List<Dataset.Value> values = data.train().target().values();
      assertThat(values.get(0).original(targets[row][0])).isCloseTo(5 + row, within(1e-6));
      assertThat(values.get(1).original(targets[row][1])).isCloseTo(1 + row, within(1e-6));
    }
  }

  @Test
  void labelColumnsThatDoNotGoTogetherAreSaid() {
    Path file = file("a,b,c\n1,u,5\n2,v,6\n3,w,7\n");
    assertThatThrownBy(() -> Csv.open(file, DataOptions.builder().label("a,b").build()))
        .hasMessageContaining("b has 3 different values such as \"u\"");
    assertThatThrownBy(() -> Csv.open(file, DataOptions.builder().label("a,a").build()))
        .hasMessageContaining("named twice");
    assertThatThrownBy(() -> Csv.open(file, DataOptions.builder().label("a,z").build()))
        .hasMessageContaining("has no column z");
    Path commas = file("\"a,b\",c\n1,2\n5,6.5\n");
    assertThat(table(Csv.open(commas, DataOptions.builder().label("a,b").build())).targets())
        .hasSize(1);
  }

  @Test
  void aFewWholeNumbersAreClassesAndTheNoteSaysWhatElseTheyCouldBe() {
    StringBuilder text = new StringBuilder("a,quality\n");
    for (int i = 0; i < 60; i++) {
      text.append(i * i).append(',').append(3 + i % 6).append('\n');
    }
    LoadedData data = open(text.toString());
    assertThat(data.train().classNames()).containsExactly("3", "4", "5", "6", "7", "8");
    assertThat(data.notes())
        .contains(
            "Label: column quality, 6 classes. To predict it as a number: --task regression.");
  }

  @Test
  void aRegressionKnowsTheNameAndUnitOfItsTarget() {
    LoadedData data = open("a,price\n1,200000.5\n2,400000.5\n3,300000.5\n4,500000.5\n");
    Dataset.Value value = data.train().target().values().get(0);
    assertThat(value.name()).isEqualTo("price");
    assertThat(value.mean()).isEqualTo(350000.5);
    assertThat(value.original(1)).isCloseTo(350000.5 + Math.sqrt(1.25e10), within(1e-6));
  }

  @Test
  void aLabelOfMixedCurrenciesIsNoNumber() {
    StringBuilder text = new StringBuilder("a,price\n");
    for (int i = 0; i < 150; i++) {
      text.append(i).append(i % 2 == 0 ? ",\"$" : ",\"€").append("1,").append(100 + i);
      text.append(".00\"\n");
    }
    assertThatThrownBy(() -> open(text.toString()))
        .hasMessageContaining("such as \"€1,101.00\"")
        .hasMessageContaining("not all are numbers of one unit");
  }

  @Test
  void marksOfGradesAreClassesThoughADashStandsForAMissingNumberElsewhere() {
    LoadedData data = open("a,y\n1,+\n2,-\n3,+\n4,-\n");
    assertThat(data.train().classNames()).containsExactly("+", "-");
    assertThat(open("a,y\n1,none\n2,unknown\n3,none\n4,unknown\n").train().classNames())
        .containsExactly("none", "unknown");
  }
}
