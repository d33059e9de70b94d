package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.crema.CremaException;
import dev.crema.memory.Shape;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CsvTest {
  @TempDir Path dir;

  private Path file(String text) {
    return file("data.csv", text.getBytes(StandardCharsets.UTF_8));
  }

  private Path file(String name, byte[] bytes) {
    try {
      return Files.write(dir.resolve(name), bytes);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private LoadedData open(String text) {
    return Csv.open(file(text), DataOptions.defaults());
  }

  private static TablePreprocessing table(LoadedData data) {
    return (TablePreprocessing) data.preprocessing();
  }

  private static final String MIXED =
      """
      size,colour,label
      1,red,yes
      3,blue,no
      ,red,no
      5,,yes
      """;

  @Test
  void encodesNumbersCategoriesAndMissingValues() {
    LoadedData data = open(MIXED);
    assertThat(table(data).columns())
        .containsExactly(
            new TablePreprocessing.Numeric("size", 3, Math.sqrt(8 / 3.0)),
            new TablePreprocessing.Categorical("colour", List.of("blue", "red"), true));
    assertThat(data.train().classNames()).containsExactly("no", "yes");
    assertThat(data.train().inputs().get(0).shape()).isEqualTo(Shape.of(4));
    float d = (float) (2 / Math.sqrt(8 / 3.0));
    assertThat(Rows.all(data.train()))
        .containsExactly(
            List.of(-d, 0f, 1f, 0f, 1f),
            List.of(0f, 1f, 0f, 0f, 0f),
            List.of(0f, 0f, 1f, 0f, 0f),
            List.of(d, 0f, 0f, 1f, 1f));
  }

  @Test
  void standardisesToMeanZeroAndDeviationOne() {
    StringBuilder text = new StringBuilder("a,b,target\n");
    for (int i = 0; i < 100; i++) {
      text.append(1e6 + i * i).append(',').append(7).append(',').append(i * 0.25).append('\n');
    }
    LoadedData data = open(text.toString());
    List<List<Float>> rows = Rows.all(data.train());
    for (int column : new int[] {0, 2}) {
      double mean = rows.stream().mapToDouble(r -> r.get(column)).average().orElseThrow();
      double square =
          rows.stream().mapToDouble(r -> r.get(column) * r.get(column)).average().orElseThrow();
      assertThat(mean).isCloseTo(0, within(1e-5));
      assertThat(square).isCloseTo(1, within(1e-5));
    }
    assertThat(rows).allMatch(row -> row.get(1) == 0);
    var value = (TablePreprocessing.Value) table(data).target();
    assertThat(value.original(rows.get(10).get(2))).isCloseTo(2.5, within(1e-5));
  }

  @Test
  void findsDelimiterHeaderAndDecimalComma() {
    for (String d : List.of(",", ";", "\t", "|")) {
      LoadedData data = open("a X b X class\n1X2Xu\n3X4Xv\n".replace("X", d));
      assertThat(table(data).fileColumns()).as(d).containsExactly("a", "b", "class");
    }
    LoadedData comma = open("a;b\n1,5;10\n2,5;20\n3,5;35,5\n");
    assertThat(((TablePreprocessing.Numeric) table(comma).columns().get(0)).mean()).isEqualTo(2.5);
    LoadedData bare = open("5.1,3.5,setosa\n4.9,3.0,setosa\n6.3,3.3,virginica\n");
    assertThat(table(bare).fileColumns()).containsExactly("c0", "c1", "c2");
    assertThat(table(bare).header()).isFalse();
    assertThat(bare.train().size()).isEqualTo(3);
    assertThat(open("buying,doors,ok\nhigh,two,no\nlow,two,yes\nlow,four,no\n").train().size())
        .isEqualTo(3);
    LoadedData words = open("high,two,no\nlow,two,yes\nlow,four,no\nhigh,four,yes\n");
    assertThat(words.train().size()).isEqualTo(4);
    assertThat(open("0,1,label\n5,6,u\n7,8,v\n").train().size()).isEqualTo(2);
  }

  @Test
  void headerAndDelimiterCanBeForced() {
    Path file = file("1,2\n3,4\n5,6\n7,8\n");
    DataOptions forced = DataOptions.builder().header(true).build();
    assertThat(table(Csv.open(file, forced)).fileColumns()).containsExactly("1", "2");
    Path odd = file("a#b#c\n1#2#u\n3#4#v\n");
    DataOptions hash = DataOptions.builder().delimiter('#').build();
    assertThat(Csv.open(odd, hash).train().size()).isEqualTo(2);
    assertThatThrownBy(() -> Csv.open(odd, DataOptions.builder().delimiter('"').build()))
        .hasMessageContaining("A delimiter is");
  }

  @Test
  void readsMarksCarriageReturnsQuotesAndGzip() {
    String text = "\uFEFF\"a\nb\",label\r\n1,\"x, y\"\r\n2,\"z \"\"q\"\"\"\r\n";
    LoadedData data = open(text);
    assertThat(table(data).fileColumns()).containsExactly("a\nb", "label");
    assertThat(data.train().classNames()).containsExactly("x, y", "z \"q\"");
    Path packed = file("data.csv.gz", IdxTest.gzip(text.getBytes(StandardCharsets.UTF_8)));
    assertThat(Rows.all(Csv.open(packed, DataOptions.defaults()).train()))
        .isEqualTo(Rows.all(data.train()));
  }

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

  @Test
  void columnsOfNumbersAndWordsAreCategoriesUnlessTheyLookMeasured() {
    StringBuilder doors = new StringBuilder("doors,weight,label\n");
    for (int i = 0; i < 40; i++) {
      String door = List.of("2", "3", "4", "5more").get(i % 4);
      doors.append(door).append(',').append(900 + i).append(i % 2 == 0 ? ",a\n" : ",b\n");
    }
    assertThat(table(open(doors.toString())).columns().get(0).width()).isEqualTo(4);
    assertThatThrownBy(() -> open(doors.toString().replace("905", "heavy")))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("data.csv, line 7, column 2 (weight): expected a number")
        .hasMessageContaining("found \"heavy\"");
  }

  @Test
  void numbersCanBeForcedToBeCategories() {
    Path file = file("zip,label\n8001,a\n8002,b\n8001,b\n");
    DataOptions options = DataOptions.builder().categorical("zip").build();
    assertThat(table(Csv.open(file, options)).columns())
        .containsExactly(new TablePreprocessing.Categorical("zip", List.of("8001", "8002"), false));
  }

  @Test
  void columnsWithTooManyTextsAreNotUsedUnlessTheyMustBe() {
    StringBuilder text = new StringBuilder("name,age,ticket,label\n");
    for (int i = 0; i < 150; i++) {
      text.append("n").append(i).append(',').append(i % 50).append(",t").append(i);
      text.append(i % 2 == 0 ? ",a\n" : ",b\n");
    }
    Path file = file(text.toString());
    LoadedData data = Csv.open(file, DataOptions.defaults());
    assertThat(table(data).columns()).hasSize(3).contains(new TablePreprocessing.Ignored("ticket"));
    assertThat(table(data).width()).isEqualTo(1);
    assertThat(data.notes())
        .contains(
            "Column name holds more than 100 different texts such as \"n0\" and is not used.",
            "Column ticket holds more than 100 different texts such as \"t0\" and is not used.");
    DataOptions forced = DataOptions.builder().categorical("name").build();
    assertThatThrownBy(() -> Csv.open(file, forced))
        .hasMessageContaining("Column name holds more than 100 different texts")
        .hasMessageContaining("too many for categories");
    DataOptions options = DataOptions.builder().ignore("1").build();
    assertThatThrownBy(() -> Csv.open(file, options))
        .hasMessageContaining("no column to learn from")
        .hasMessageContaining("Column ticket holds more than 100");
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
  void columnsThatIdentifyRowsAreNotUsed() {
    StringBuilder text = new StringBuilder("PassengerId,order_id,humid,grid,id,price\n");
    for (int i = 0; i < 150; i++) {
      text.append(i + 1).append(',').append(7_000_000_000L + 13 * i).append(',');
      text.append(i % 120).append(',').append(i * 3).append(',').append(i % 3).append(',');
      text.append(i + 0.5).append('\n');
    }
    LoadedData data = open(text.toString());
    assertThat(table(data).columns().stream().filter(c -> c.width() > 0))
        .extracting(TablePreprocessing.Column::name)
        .containsExactly("humid", "grid", "id");
    assertThat(data.notes())
        .contains(
            "Column PassengerId numbers the rows and is not used.",
            "Column order_id identifies rows and is not used.");
  }

  @Test
  void aLabelOfNumbersWithSignsSaysHowToWriteThem() {
    StringBuilder text = new StringBuilder("a,price\n");
    for (int i = 0; i < 150; i++) {
      text.append(i).append(",\"$1,").append(100 + i).append(".00\"\n");
    }
    assertThatThrownBy(() -> open(text.toString()))
        .hasMessageContaining("such as \"$1,100.00\"")
        .hasMessageContaining("without currency, percent and thousands signs");
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
  void columnsThatNumberTheRowsOrAreEmptyAreNotUsed() {
    LoadedData data = open("Id,x,empty,label\n1,4,,a\n2,9,NA,b\n3,7,?,a\n4,8,null,b\n");
    assertThat(table(data).width()).isEqualTo(1);
    assertThat(data.notes())
        .anyMatch(note -> note.contains("Id numbers the rows"))
        .anyMatch(note -> note.contains("empty is empty"));
    assertThat(table(open("x,y\n1,2.5\n2,3.5\n3,9.5\n4,1.5\n")).width()).isEqualTo(1);
  }

  @Test
  void badRowsAreNamedOrCounted() {
    String text = "a,b,label\n1,2,u\n3,4\n5.5,x,v\n6.5,2,v\n7.5,\"8\"z,u\n1,2,\n3,4,u\n2,3,v\n";
    assertThatThrownBy(() -> open(text))
        .hasMessageContaining("data.csv, line 3, column 2: expected 3 columns, found 2")
        .hasMessageContaining("--skip-bad-rows");
    DataOptions skip = DataOptions.builder().skipBadRows(true).build();
    LoadedData data = Csv.open(file(text), skip);
    assertThat(data.train().size()).isEqualTo(4);
    assertThat(data.badRows()).isEqualTo(4);
    assertThat(data.notes()).contains("4 bad rows were left out.");
    LoadedData clean = open("a,b,label\n1,2,u\n6.5,2,v\n3,4,u\n2,3,v\n");
    assertThat(data.preprocessing()).isEqualTo(clean.preprocessing());
    assertThat(Rows.all(data.train())).isEqualTo(Rows.all(clean.train()));
    DataOptions streamed = DataOptions.builder().skipBadRows(true).memoryLimit(0).build();
    LoadedData stream = Csv.open(file(text), streamed);
    assertThat(stream.badRows()).isEqualTo(4);
    assertThat(stream.train().size()).isEqualTo(4);
    assertThat(Rows.all(stream.train())).isEqualTo(Rows.all(clean.train()));
  }

  private static String numbered(int rows) {
    StringBuilder text = new StringBuilder("x,colour,label\n");
    for (int i = 0; i < rows; i++) {
      text.append(i * 1.5).append(',').append("c").append(i % 5).append(',');
      text.append(i % 4 == 0 ? "rare" : "often").append('\n');
    }
    return text.toString();
  }

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

  @Test
  void saysWhatIsWrongWithAFile() {
    assertThatThrownBy(() -> open("")).hasMessageContaining("is empty");
    assertThatThrownBy(() -> open("\n\n")).hasMessageContaining("has no rows");
    assertThatThrownBy(() -> open("a,label\n")).isInstanceOf(CremaException.class);
    assertThatThrownBy(() -> open("label\nx\ny\n")).hasMessageContaining("no column to learn from");
    assertThatThrownBy(() -> open("a,label\n1,x\n2,x\n")).hasMessageContaining("the label x");
    assertThatThrownBy(
            () -> Csv.open(file("u.csv", new byte[] {'a', 0, ',', 0}), DataOptions.defaults()))
        .hasMessageContaining("UTF-16");
    assertThatThrownBy(() -> open("a,label\n1e308,x\n-1e308,y\n1e308,x\n"))
        .hasMessageContaining("too great");
    DataOptions ignored = DataOptions.builder().ignore("label").build();
    assertThatThrownBy(() -> Csv.open(file(MIXED), ignored)).hasMessageContaining("is the label");
  }

  @Test
  void aFileWhoseOnlyRowIsBadHasNoColumns() throws IOException {
    Path file = Files.createTempFile("fuzz", ".csv");
    try {
      Files.writeString(file, "\"aa\té, 1,  ;b  \"A;e1\";5b; \"");
      DataOptions options = DataOptions.builder().skipBadRows(true).build();
      assertThatThrownBy(() -> Csv.open(file, options))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("no row could be read");
    } finally {
      Files.delete(file);
    }
  }

  @Provide
  Arbitrary<String> tables() {
    return Arbitraries.strings().withChars("ab1.5,;\"\n\r NA?é\t|-e").ofMaxLength(120);
  }

  @Property(tries = 1500)
  void anyBytesEndInADatasetOrAnExceptionOfOurs(
      @ForAll("tables") String text, @ForAll boolean skip, @ForAll boolean stream)
      throws IOException {
    Path file = Files.createTempFile("fuzz", ".csv");
    try {
      Files.writeString(file, text);
      DataOptions options =
          DataOptions.builder()
              .skipBadRows(skip)
              .memoryLimit(stream ? 0 : 1 << 20)
              .validationSplit(0.3)
              .build();
      LoadedData data = Csv.open(file, options);
      assertThat((long) Rows.all(data.train()).size()).isEqualTo(data.train().size());
      assertThat(Rows.all(data.train())).allMatch(r -> r.stream().allMatch(Float::isFinite));
      Dataset again = Datasets.open(file, data.preprocessing(), options);
      assertThat(again.inputs()).isEqualTo(data.train().inputs());
    } catch (CremaException e) {
      assertThat(e).hasMessageContaining("fuzz");
    } finally {
      Files.delete(file);
    }
  }
}
