package dev.crema.cli;

import static dev.crema.cli.CommandRun.run;
import static dev.crema.cli.Tables.houses;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.cli.CommandRun.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What tables of people become: columns, numbers, units. */
class TableCommandTest {
  @TempDir private Path folder;

  @Test
  void saysWhatBecameOfEachColumn() throws IOException {
    StringBuilder csv = new StringBuilder("id,when,price,country,class\n");
    for (int i = 0; i < 60; i++) {
      csv.append(i).append(i % 2 == 0 ? ",2024-01-0" : ",2024-03-1").append(i % 9 + 1);
      csv.append(",\"$1,").append(100 + i).append("\",US,").append(i < 30 ? "low\n" : "high\n");
    }
    Path data = Files.writeString(folder.resolve("prices.csv"), csv);
    Path model = folder.resolve("model");
    Result train = run("train", "--data", "" + data, "--out", "" + model, "--json");
    assertThat(train.code()).as(train.err()).isZero();
    assertThat(train.err())
        .containsPattern("id +not used: numbers the rows +0")
        .containsPattern("when +date, year-month-day, and place in week +3")
        .containsPattern("price +number such as \\$1,234.5 +1")
        .containsPattern("country +not used: holds the same value in every row +0");
    JsonNode columns = train.json().get("columns");
    assertThat(columns.findValuesAsText("column"))
        .containsExactly("id", "when", "price", "country", "class");
    assertThat(columns.at("/1/inputs").asInt()).isEqualTo(3);
    assertThat(columns.at("/4/use").asText()).isEqualTo("label, 2 classes");
    Path rows = folder.resolve("rows.csv");
    Files.writeString(rows, "when,price\n2024-01-05,\"$1,101\"\n2024-01-05,1101\n");
    JsonNode answers = run("predict", "--model", "" + model, "--input", "" + rows, "--json").json();
    assertThat(answers.get(0)).isEqualTo(answers.get(1));
  }

  @Test
  void aRegressionIsMeasuredAndPredictedInTheUnitOfTheFile() throws IOException {
    Path data = houses(folder);
    Path model = folder.resolve("model");
    Result train = run("train", "--data", "" + data, "--out", "" + model, "--json");
    assertThat(train.code()).as(train.err()).isZero();
    assertThat(train.err())
        .contains("Column id identifies rows", "Column agent holds more than 100 different texts");
    JsonNode output = train.json().at("/evaluation/regression/outputs/0");
    assertThat(output.get("name").asText()).isEqualTo("price");
    assertThat(output.get("r2").asDouble()).isGreaterThan(0.97);
    double mae = output.get("mae").asDouble();
    assertThat(mae).as("in the unit of the file").isBetween(2_000.0, 15_000.0);
    JsonNode history = train.json().get("history");
    assertThat(history.get(history.size() - 1).get("val_mae").asDouble()).isEqualTo(mae);

    Path row = folder.resolve("row.jsonl");
    Files.writeString(row, "{\"date\": \"2024-01-01\", \"area\": 100, \"rooms\": 3}\n");
    Result predict = run("predict", "--model", "" + model, "--input", "" + row, "--json");
    assertThat(predict.json().at("/0/predictions/0").asDouble()).isBetween(260_000.0, 300_000.0);
  }
}
