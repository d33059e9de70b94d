package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.io.Json;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EpochLogTest {
  private static final Dataset DATA =
      Datasets.of(new float[][] {{1, 0}, {0, 1}, {1, 1}, {0, 0}}, new int[] {0, 1, 0, 1});

  @TempDir private Path folder;

  private History train(int epochs, boolean resume, boolean validated, Callback... callbacks) {
    try (Model model = Model.sequential(2).dense(2, Activation.SOFTMAX).build(1)) {
      Trainer trainer =
          Trainer.of(model).epochs(epochs).checkpoint(folder.resolve("checkpoint")).resume(resume);
      for (Callback c : callbacks) {
        trainer.callback(c);
      }
      return (validated ? trainer.validation(DATA) : trainer).fit(DATA);
    }
  }

  @Test
  void aLineReachesTheFileAsItsEpochEnds() throws IOException {
    Path file = folder.resolve("logs/training.csv");
    List<Integer> lines = new ArrayList<>();
    Callback watch =
        new Callback() {
          @Override
          public void onEpochEnd(Training training, History.Epoch epoch) {
            try {
              lines.add(Files.readAllLines(file).size());
            } catch (IOException e) {
              throw new java.io.UncheckedIOException(e);
            }
          }
        };
    History history = train(3, false, true, EpochLog.csv(file), watch);
    assertThat(lines).containsExactly(2, 3, 4);
    List<String> text = Files.readAllLines(file);
    assertThat(text.get(0))
        .isEqualTo("epoch,seconds,loss,accuracy,val_loss,val_accuracy,learning_rate");
    String[] last = text.get(3).split(",");
    assertThat(last[0]).isEqualTo("3");
    assertThat(Double.parseDouble(last[2])).isEqualTo(history.last().metric("loss"));
    assertThat(Double.parseDouble(last[4])).isEqualTo(history.last().metric("val_loss"));
  }

  @Test
  void aResumedTrainingGoesOnBelowWithoutRepeatingAnEpoch() throws IOException {
    Path csv = folder.resolve("training.csv");
    Path json = folder.resolve("training.jsonl");
    train(2, false, false, EpochLog.of(csv), EpochLog.of(json));
    // An epoch that was logged but whose checkpoint was not written, and a torn line.
    Files.writeString(csv, Files.readString(csv) + "3,0.1,9,9,0.001\n4,0.");
    Files.writeString(json, Files.readString(json) + "{\"epoch\":3}\n{\"ep");
    History history = train(4, true, false, EpochLog.of(csv), EpochLog.of(json));
    List<String> rows = Files.readAllLines(csv);
    assertThat(rows).hasSize(5);
    assertThat(rows.stream().map(r -> r.split(",")[0]))
        .containsExactly("epoch", "1", "2", "3", "4");
    List<String> objects = Files.readAllLines(json);
    assertThat(objects).hasSize(4);
    for (int i = 0; i < 4; i++) {
      JsonNode object = Json.parse(objects.get(i), "line");
      assertThat(object.get("epoch").asInt()).isEqualTo(i + 1);
      assertThat(object.get("loss").asDouble()).isEqualTo(history.epochs().get(i).metric("loss"));
    }
    train(1, false, false, EpochLog.csv(csv));
    assertThat(Files.readAllLines(csv)).as("a new training begins anew").hasSize(2);
  }

  @Test
  void metricsThatComeLaterGetAColumn() throws IOException {
    Path csv = folder.resolve("training.csv");
    train(1, false, false, EpochLog.csv(csv));
    train(2, true, true, EpochLog.csv(csv));
    List<String> rows = Files.readAllLines(csv);
    assertThat(rows.get(0)).endsWith("learning_rate,val_loss,val_accuracy");
    assertThat(rows.get(1)).endsWith(",,");
    assertThat(rows.get(2).split(",")).hasSize(7);
  }

  @Test
  void aFileThatCannotBeWrittenIsSaidBeforeTraining() throws IOException {
    Path notFolder = Files.writeString(folder.resolve("file"), "");
    assertThatThrownBy(
            () -> train(1, false, false, EpochLog.csv(notFolder.resolve("training.csv"))))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("training.csv");
    assertThat(folder.resolve("checkpoint")).doesNotExist();
    assertThatThrownBy(() -> EpochLog.of(Path.of("log.txt"))).hasMessageContaining(".jsonl");
  }
}
