package dev.crema.cli;

import static dev.crema.cli.CommandRun.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.cli.CommandRun.Result;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where predictions go, and what becomes of them when something is wrong with that. */
class PredictOutputTest {
  @TempDir private Path folder;
  private Path flowers;
  private Path model;

  @BeforeEach
  void train() throws IOException {
    flowers = CommandRun.flowers(folder);
    model = folder.resolve("model");
    Result train =
        run(
            "train",
            "--data",
            "" + flowers,
            "--model",
            "mlp:4",
            "--epochs",
            "1",
            "--out",
            "" + model);
    assertThat(train.code()).as(train.err()).isZero();
  }

  private Result predict(Path input, String... more) {
    return run(
        CommandRun.with(
            new String[] {"predict", "--model", "" + model, "--input", "" + input}, more));
  }

  private Path rows(String text) throws IOException {
    return Files.writeString(folder.resolve("rows.csv"), text);
  }

  @Test
  void labelsThatTheModelDoesNotKnowOrThatAreMissingDoNotMatter() throws IOException {
    String header = "width,colour,height,class\n";
    Result known = predict(rows(header + "1,red,0.5,rose\n2,blue,1,tulip\n"));
    Result unknown = predict(rows(header + "1,red,0.5,lily\n2,blue,1,\n"));
    assertThat(unknown.code()).as(unknown.err()).isZero();
    assertThat(unknown.out()).isEqualTo(known.out());
  }

  @Test
  void aFileHasAllRowsOrStaysAsItWas() throws IOException {
    Path to = folder.resolve("answers.csv");
    Result good = predict(flowers, "--output", "" + to);
    assertThat(good.code()).as(good.err()).isZero();
    assertThat(good.out()).isEmpty();
    String answers = Files.readString(to);
    assertThat(answers.lines().count()).isEqualTo(401);
    assertThat(predict(flowers).out()).isEqualTo(answers);
    Path bad = rows("width,colour,height\n1,red,0.5\nwide,red,0.5\n");
    assertThat(predict(bad, "--output", "" + to).code()).isEqualTo(1);
    assertThat(Files.readString(to)).isEqualTo(answers);
  }

  /** An array that was cut short by a row that cannot be read has no end: no script takes it. */
  @Test
  void jsonIsWrittenRowByRow() throws IOException {
    Result all = predict(flowers, "--json");
    assertThat(all.code()).as(all.err()).isZero();
    assertThat(all.json()).hasSize(400);
    assertThat(all.json().get(399).get("probabilities")).hasSize(2);
    Path to = folder.resolve("answers.csv");
    assertThat(predict(flowers, "--json", "--output", "" + to).json()).isEqualTo(all.json());
    assertThat(to).hasContent(predict(flowers).out());
    Path bad = rows("width,colour,height\n1,red,0.5\nwide,red,0.5\n");
    Result cut = predict(bad, "--json");
    assertThat(cut.code()).isEqualTo(1);
    assertThat(cut.err()).contains("wide");
    assertThat(cut.out()).doesNotContain("]");
    assertThat(predict(bad, "--json", "--output", "" + to).err()).contains("wide");
  }

  @Test
  void rowsOfStandardInputAreAnsweredOneByOne() throws IOException {
    String row = "{\"width\":1,\"colour\":\"red\",\"height\":2}\n";
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int[] answersBeforeTheSecond = new int[1];
    InputStream slow =
        new InputStream() {
          private final byte[] bytes = (row + row).getBytes(StandardCharsets.UTF_8);
          private int at;

          @Override
          public int read() {
            if (at == row.length()) {
              answersBeforeTheSecond[0] = out.toString(StandardCharsets.UTF_8).split("\n").length;
            }
            return at < bytes.length ? bytes[at++] : -1;
          }

          @Override
          public int read(byte[] to, int from, int count) {
            int first = count == 0 ? -1 : read();
            if (first < 0) {
              return count == 0 ? 0 : -1;
            }
            to[from] = (byte) first;
            return 1;
          }
        };
    InputStream before = System.in;
    System.setIn(slow);
    try {
      Result result = CommandRun.run(out, "predict", "--model", "" + model, "--input", "-");
      assertThat(result.code()).as(result.err()).isZero();
    } finally {
      System.setIn(before);
    }
    assertThat(out.toString(StandardCharsets.UTF_8).lines().count()).isEqualTo(3);
    assertThat(answersBeforeTheSecond[0]).as("the header and the first answer").isEqualTo(2);
  }

  @Test
  void outputThatIsLostIsAFailureButAReaderThatHasEnoughIsNot() {
    for (String reason : List.of("No space left on device", "Broken pipe")) {
      StandardOutput out =
          new StandardOutput(
              new OutputStream() {
                @Override
                public void write(int b) throws IOException {
                  throw new IOException(reason);
                }
              });
      assertThatThrownBy(() -> out.write(1)).hasMessage(reason);
      assertThatThrownBy(() -> out.write(1)).as("for good").hasMessage(reason);
      ByteArrayOutputStream errors = new ByteArrayOutputStream();
      PrintStream to = new PrintStream(errors, true, StandardCharsets.UTF_8);
      boolean lost = reason.startsWith("No space");
      assertThat(out.exitCode(0, to)).isEqualTo(lost ? 1 : 0);
      assertThat(out.exitCode(2, to)).isEqualTo(2);
      assertThat(errors.toString(StandardCharsets.UTF_8).contains(reason)).isEqualTo(lost);
    }
  }

  @Test
  void outputThatWasWrittenChangesNoExitCode() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    StandardOutput out = new StandardOutput(bytes);
    out.write("größe".getBytes(StandardCharsets.UTF_8));
    out.write('\n');
    assertThat(bytes.toString(StandardCharsets.UTF_8)).isEqualTo("größe\n");
    assertThat(out.exitCode(1, System.err)).isEqualTo(1);
    assertThat(out.exitCode(0, System.err)).isZero();
  }
}
