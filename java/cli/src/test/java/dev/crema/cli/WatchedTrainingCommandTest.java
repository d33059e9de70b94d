package dev.crema.cli;

import static dev.crema.cli.CommandRun.flowers;
import static dev.crema.cli.CommandRun.run;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.cli.CommandRun.Result;
import dev.crema.eval.drift.Reference;
import dev.crema.eval.drift.ReferenceFormat;
import dev.crema.io.Json;
import dev.crema.nn.Model;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What can be seen of a training while it runs, and what of it monitors the model later. */
class WatchedTrainingCommandTest {
  @TempDir private Path folder;

  @Test
  void theCurvesAreServedWhileItTrains() throws Exception {
    String[] train = {
      "train", "--data", "" + flowers(folder), "--out", "" + folder.resolve("m"), "--epochs", "50"
    };
    Watcher watcher = new Watcher();
    Result result = run(watcher, CommandRun.with(train, "--patience", "50", "--watch", "0"));
    assertThat(result.code()).as(result.err()).isZero();
    JsonNode training = watcher.seen.get(1, TimeUnit.MINUTES);
    assertThat(training.path("run").asText()).isEqualTo("flowers.csv, mlp:64,64");
    assertThat(training.path("state").asText()).isEqualTo("running");
    assertThat(training.at("/history/0/loss").asDouble()).isPositive();
  }

  /**
   * Standard output: when it is told where the page is, it asks for it before the training goes on,
   * and then beside it until there is a curve.
   */
  private static final class Watcher extends ByteArrayOutputStream {
    private static final Pattern WATCH =
        Pattern.compile("Watch: (http://127\\.0\\.0\\.1:\\d+)/\\R");
    private final HttpClient client = HttpClient.newHttpClient();
    private CompletableFuture<JsonNode> seen;

    @Override
    public synchronized void write(byte[] bytes, int from, int length) {
      super.write(bytes, from, length);
      Matcher matcher = WATCH.matcher(toString(StandardCharsets.UTF_8));
      if (seen == null && matcher.find()) {
        URI page = URI.create(matcher.group(1) + "/api/training");
        assertThat(training(page).path("history")).isEmpty();
        seen = CompletableFuture.supplyAsync(() -> firstEpochs(page));
      }
    }

    private JsonNode firstEpochs(URI page) {
      JsonNode training = training(page);
      while (training.path("history").isEmpty()) {
        training = training(page);
      }
      return training;
    }

    private JsonNode training(URI page) {
      HttpRequest request = HttpRequest.newBuilder(page).timeout(Duration.ofSeconds(30)).build();
      try {
        byte[] body = client.send(request, HttpResponse.BodyHandlers.ofByteArray()).body();
        return Json.mapper().readTree(body).at("/trainings/0");
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  @Test
  void theModelKeepsHistogramsOfItsTrainingDataUnlessToldNotTo() throws IOException {
    Path data = flowers(folder);
    Path with = folder.resolve("with");
    Path without = folder.resolve("without");
    String[] train = {"train", "--data", "" + data, "--epochs", "1", "--out"};
    assertThat(run(CommandRun.with(train, "" + with)).code()).isZero();
    assertThat(run(CommandRun.with(train, "" + without, "--no-reference")).code()).isZero();
    try (Model model = Model.load(with)) {
      Reference reference = ReferenceFormat.read(model.metadata().get(Reference.KEY));
      assertThat(reference.examples()).isEqualTo(320); // a fifth is set apart
      assertThat(reference.inputs().get(0).features())
          .extracting(Reference.Feature::name)
          .contains("width", "height", "colour=red");
      assertThat(reference.outputs().get(0).classes().names()).contains("rose", "tulip");
    }
    try (Model model = Model.load(without)) {
      assertThat(model.metadata().has(Reference.KEY)).isFalse();
    }
  }
}
