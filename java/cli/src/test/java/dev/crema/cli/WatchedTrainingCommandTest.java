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
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What can be seen of a training while it runs, and what of it monitors the model later. */
class WatchedTrainingCommandTest {
  @TempDir private Path folder;

  @Test
  void theCurvesAreServedWhileItTrains() throws Exception {
    String[] train = {
      "train", "--data", "" + flowers(folder), "--out", "" + folder.resolve("m"), "--epochs", "4000"
    };
    int port = freePort();
    CompletableFuture<JsonNode> seen = CompletableFuture.supplyAsync(() -> firstEpochs(port));
    Result result = run(CommandRun.with(train, "--patience", "200", "--watch", "" + port));
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.out()).contains("Watch: http://127.0.0.1:" + port + "/");
    JsonNode training = seen.get();
    assertThat(training.path("run").asText()).isEqualTo("flowers.csv, mlp:64,64");
    assertThat(training.path("state").asText()).isEqualTo("running");
    assertThat(training.at("/history/0/loss").asDouble()).isPositive();
  }

  /** One that is free now; a port of 0 is told of only in what the command prints. */
  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private static JsonNode firstEpochs(int port) {
    HttpClient client = HttpClient.newHttpClient();
    URI uri = URI.create("http://127.0.0.1:" + port + "/api/training");
    for (int i = 0; i < 3000; i++) {
      try {
        Thread.sleep(20);
        byte[] body =
            client
                .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofByteArray())
                .body();
        JsonNode training = Json.mapper().readTree(body).at("/trainings/0");
        if (!training.path("history").isEmpty()) {
          return training;
        }
      } catch (IOException e) {
        continue; // it has not begun
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    throw new IllegalStateException("The training was not served for a minute");
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
