package dev.crema.serving.batching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.data.Figures;
import dev.crema.data.RowEncoder;
import dev.crema.data.TablePreprocessing;
import dev.crema.nn.Model;
import dev.crema.serving.Served;
import dev.crema.serving.ServingListener;
import dev.crema.serving.inference.ColumnSpec;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.ModelRepository;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models that learnt from a table take its rows. */
class TableRowsTest {
  private static final List<TablePreprocessing.Column> COLUMNS =
      List.of(
          new TablePreprocessing.Numeric("age", 40, 10),
          new TablePreprocessing.Ignored("name"),
          new TablePreprocessing.Categorical("job", List.of("cook", "smith"), false));

  @TempDir Path models;
  private final List<InferenceRequest> told = new ArrayList<>();
  private ModelRepository repository;
  private BatchingInference inference;

  @BeforeEach
  void open() {
    // Price, standardised: (age − 40) / 10 + 2 for smiths.
    var price = new TablePreprocessing.Value("price", 3, 100, 50);
    var kind = new TablePreprocessing.Classes("kind", 3, List.of("cheap", "dear"));
    save("prices", price, 1, new float[] {1, 0, 2});
    save("kinds", kind, 2, new float[] {1, 0, 0, 0, 0, 2});
    var listener =
        new ServingListener() {
          @Override
          public void answered(InferenceRequest request, InferenceResponse response, long nanos) {
            told.add(request);
          }
        };
    repository = ModelRepository.of(models).pollInterval(Duration.ZERO).open();
    inference = new BatchingInference(repository, listener);
  }

  private void save(String name, TablePreprocessing.Target target, int units, float[] kernel) {
    try (Model model = Model.sequential(3).dense(units).build(1)) {
      model.set("dense_1/kernel", kernel);
      model.metadata().set("preprocessing", new TablePreprocessing(COLUMNS, target, true).toJson());
      model.save(models.resolve(name).resolve("1"));
    }
  }

  @AfterEach
  void close() {
    inference.close();
    repository.close();
  }

  private InferenceResponse ask(String model, List<Map<String, String>> rows) {
    return inference.infer(InferenceRequest.ofRows(ModelReference.of(model), rows)).join();
  }

  private static final List<Map<String, String>> ROWS =
      List.of(
          Map.of("age", "50", "job", "smith", "height", "not asked for"),
          Map.of("age", "", "job", "cook"),
          Map.of("age", "30", "job", "juggler"));

  @Test
  void theSignatureHasTheColumnsAndTheLabels() {
    Signature signature = repository.signature(ModelReference.of("kinds"));
    assertThat(signature.labels()).containsExactly("cheap", "dear");
    assertThat(signature.columns())
        .containsExactly(
            new ColumnSpec("age", ColumnSpec.Kind.NUMERIC, List.of()),
            new ColumnSpec("job", ColumnSpec.Kind.CATEGORICAL, List.of("cook", "smith")));
  }

  @Test
  void rowsAreEncodedAndARegressionAnswersInTheTablesUnits() {
    // 1 + 2, 0 and −1, times 50 plus 100.
    assertThat(Served.output(ask("prices", ROWS))).containsExactly(250, 100, 50);
    assertThat(told.get(0).rows()).isEmpty();
    assertThat(Served.floats(told.get(0).inputs().get("x")))
        .containsExactly(1, 0, 1, 0, 1, 0, -1, 0, 0);
  }

  @Test
  void manyRowsTakeTheSameWayThroughTheQueue() {
    List<Map<String, String>> many = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      many.addAll(ROWS);
    }
    float[] y = Served.output(ask("prices", many));
    for (int i = 0; i < y.length; i += 3) {
      assertThat(new float[] {y[i], y[i + 1], y[i + 2]}).containsExactly(250, 100, 50);
    }
  }

  @Test
  void tensorsAreAnsweredAsTheModelComputesThem() {
    float[] y = Served.output(inference.infer(Served.request("prices", new float[3], 1)).join());
    assertThat(y).containsExactly(0);
  }

  @Test
  void classesAreNotScaled() {
    assertThat(Served.output(ask("kinds", ROWS.subList(0, 1)))).containsExactly(1, 2);
  }

  /** 12.345 is twelve, also where the table writes 12.345,5. */
  @Test
  void numbersThatCameAsNumbersAreReadAlikeHoweverTheTableWritesThem() {
    var amount = new TablePreprocessing.Numeric("amount", 0, 1, new Figures(',', "EUR"));
    var plain = new TablePreprocessing.Numeric("amount", 0, 1);
    ColumnSpec column = new ColumnSpec("amount", ColumnSpec.Kind.NUMERIC, List.of());
    var price = new TablePreprocessing.Value("price", 1, 0, 1);
    Random random = new Random(5);
    for (TablePreprocessing.Numeric numeric : List.of(amount, plain)) {
      RowEncoder encoder = new TablePreprocessing(List.of(numeric), price, true).encoder();
      for (int i = 0; i < 1000; i++) {
        float value = Float.intBitsToFloat(random.nextInt());
        String text = i < 3 ? List.of("12.345", "-1.5e3", "7").get(i) : Float.toString(value);
        if (!text.equals("NaN") && !text.endsWith("Infinity")) {
          assertThat(encoder.encode(Map.of("amount", column.text(text))))
              .containsExactly(Float.parseFloat(text));
        }
      }
    }
    assertThat(column.text("NaN")).isEqualTo("NaN");
    assertThat(column.text("1.5e99999999999")).isEqualTo("1.5e99999999999");
    assertThat(new ColumnSpec("size", ColumnSpec.Kind.CATEGORICAL, List.of("1.5")).text("1.5"))
        .isEqualTo("1.5");
  }

  @Test
  void saysWhichRowAndColumnIsWrong() {
    assertThatThrownBy(
            () -> ask("prices", List.of(ROWS.get(0), Map.of("age", "old", "job", "cook"))))
        .hasCauseInstanceOf(ServingException.class)
        .hasMessageContaining("Row 1: Column age: expected")
        .hasMessageContaining("old");
    assertThatThrownBy(() -> ask("prices", List.of(Map.of("job", "cook"))))
        .hasMessageContaining("Row 0: Column age is missing");
    assertThatThrownBy(() -> ask("prices", Arrays.asList(ROWS.get(0), null)))
        .hasCauseInstanceOf(ServingException.class)
        .hasMessageContaining("Row 1 is null");
  }
}
