package dev.crema.serving.monitoring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.ServerBuilder;
import dev.crema.io.Json;
import dev.crema.nn.Model;
import dev.crema.serving.http.EventLoops;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.VersionStatus;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class FeedbackTest {
  private static final List<String> NAMES = List.of("cat", "dog", "cow");
  private static final long SECOND = 1_000_000_000;

  private static Model model;

  private final AtomicLong clock = new AtomicLong(-77);
  private final OneModel models = new OneModel("animals", 4, model, NAMES);
  private final Feedback feedback =
      new Feedback(
          () -> models, 16_000, Duration.ofSeconds(100), Duration.ofSeconds(1000), clock::get);

  @BeforeAll
  static void make() {
    model = Model.sequential(1).dense(3).build(1);
  }

  @AfterAll
  static void close() {
    model.close();
  }

  /** Pretends that the model told these classes in one request. */
  private void told(String id, int... classes) {
    float[][] rows = new float[classes.length][3];
    for (int i = 0; i < classes.length; i++) {
      rows[i][classes[i]] = 1;
    }
    feedback.answered(
        Events.request(id, ModelReference.of("animals"), new float[] {1}),
        Events.response(id, "animals", 4, rows),
        1);
  }

  private static Feedback.Truth labels(String id, Object... labels) {
    return new Feedback.Truth(id, List.of(labels), List.of());
  }

  @Test
  void scoresAreThoseOfTheConfusionMatrix() {
    int[] told = {0, 0, 0, 1, 1, 2, 0, 1};
    int[] real = {0, 0, 1, 1, 0, 2, 2, 1};
    for (int i = 0; i < told.length; i++) {
      told("r" + i, told[i]);
      Object label = i % 2 == 0 ? real[i] : NAMES.get(real[i]);
      assertThat(feedback.take("animals", List.of(labels("r" + i, label)))).isEmpty();
    }
    FeedbackReport report = feedback.reports().get(0);
    assertThat(report.labels()).isEqualTo(8);
    assertThat(report.accuracy()).isCloseTo(5 / 8.0, within(1e-12));
    // By hand: precision ½, ⅔, 1; recall ⅔, ⅔, ½; F1 4/7, ⅔, ⅔.
    assertThat(report.precision()).isCloseTo((0.5 + 2 / 3.0 + 1) / 3, within(1e-12));
    assertThat(report.recall()).isCloseTo((2 / 3.0 + 2 / 3.0 + 0.5) / 3, within(1e-12));
    assertThat(report.f1()).isCloseTo((4 / 7.0 + 2 / 3.0 + 2 / 3.0) / 3, within(1e-12));
    assertThat(report.meanAbsoluteError()).isNaN();
  }

  @Test
  void numbersHaveTheirErrors() {
    for (int i = 0; i < 4; i++) {
      feedback.answered(
          Events.request("n" + i, ModelReference.of("animals"), new float[] {1}),
          Events.response("n" + i, "animals", 4, new float[] {i}),
          1);
      feedback.take(
          "animals",
          List.of(new Feedback.Truth("n" + i, List.of(), List.of(new double[] {2 * i}))));
    }
    FeedbackReport report = feedback.reports().get(0);
    assertThat(report.values()).isEqualTo(4);
    assertThat(report.meanAbsoluteError()).isCloseTo(6 / 4.0, within(1e-12));
    assertThat(report.rootMeanSquaredError()).isCloseTo(Math.sqrt(14 / 4.0), within(1e-12));
    assertThat(report.accuracy()).isNaN();
  }

  @Test
  void aPredictionIsComparedOnceAndUnknownOnesAreToldOf() {
    told("a", 0, 1);
    assertThat(feedback.take("animals", List.of(labels("a", 0, 1), labels("b", 0))))
        .containsExactly("b");
    assertThat(feedback.take("animals", List.of(labels("a", 0, 1)))).containsExactly("a");
    assertThat(feedback.reports().get(0).labels()).isEqualTo(2);
    assertThat(feedback.unmatched().get("animals").sum()).isEqualTo(2);
    assertThat(feedback.matched().get("animals").sum()).isEqualTo(1);
  }

  @Test
  void predictionsAreForgottenAfterAWhile() {
    told("old", 1);
    clock.addAndGet(101 * SECOND);
    assertThat(feedback.take("animals", List.of(labels("old", 1)))).containsExactly("old");
    assertThat(feedback.waiting()).isZero();
  }

  @Test
  void memoryIsBoundedAndTheOldestGoFirst() {
    for (int i = 0; i < 100_000; i++) {
      told("id-" + i, i % 3);
    }
    // Each counts as 8 and a class and 3 values.
    assertThat(feedback.waiting()).isBetween(1_000, 16_000 / 12);
    assertThat(feedback.take("animals", List.of(labels("id-99999", 0)))).isEmpty();
    assertThat(feedback.take("animals", List.of(labels("id-0", 0)))).containsExactly("id-0");
  }

  @Test
  void requestsWithoutIdAreNotRemembered() {
    told("", 1);
    assertThat(feedback.waiting()).isZero();
  }

  @Test
  void oldFiguresLeaveTheWindow() {
    told("a", 0);
    feedback.take("animals", List.of(labels("a", 1)));
    assertThat(feedback.reports().get(0).accuracy()).isZero();
    clock.addAndGet(501 * SECOND);
    told("b", 0);
    feedback.take("animals", List.of(labels("b", 0)));
    assertThat(feedback.reports().get(0).accuracy()).isEqualTo(0.5);
    clock.addAndGet(501 * SECOND);
    assertThat(feedback.reports().get(0).accuracy()).isEqualTo(1);
  }

  @Test
  void truthThatDoesNotFitIsRefused() {
    told("a", 0, 1);
    assertThatExceptionOfType(ServingException.class)
        .isThrownBy(() -> feedback.take("animals", List.of(labels("a", 0))))
        .withMessage("Request 'a' had 2 rows, the feedback has 1");
    told("a", 0);
    for (Object label : List.of("mouse", 3, Integer.MAX_VALUE)) {
      assertThatExceptionOfType(ServingException.class)
          .isThrownBy(() -> feedback.take("animals", List.of(labels("a", label))))
          .withMessageContaining("no class '" + label + "'; it has [cat, dog, cow]");
    }
    assertThatExceptionOfType(ServingException.class)
        .isThrownBy(() -> feedback.take("animals", List.of(values("a", 1, 2))))
        .withMessage("Request 'a' was answered with 3 numbers a row, the feedback has 2");
    assertThat(feedback.reports()).as("nothing of it counts").isEmpty();
    assertThatExceptionOfType(ServingException.class)
        .isThrownBy(() -> feedback.take("plants", List.of()))
        .satisfies(e -> assertThat(e.code()).isEqualTo(ServingException.Code.NOT_FOUND));
  }

  private static Feedback.Truth values(String id, double... row) {
    return new Feedback.Truth(id, List.of(), List.of(row));
  }

  @Test
  void aPredictionWaitsOnForATruthThatFits() {
    told("a", 0, 1);
    assertThatExceptionOfType(ServingException.class)
        .isThrownBy(() -> feedback.take("animals", List.of(labels("a", 0, "mouse"))));
    assertThat(feedback.take("animals", List.of(labels("a", "cat", "cow")))).isEmpty();
    assertThat(feedback.reports().get(0).labels()).isEqualTo(2);
    assertThat(feedback.reports().get(0).accuracy()).isEqualTo(0.5);
  }

  @Test
  void truthByNameComesAlsoWhenTheVersionServesNoMore() {
    told("a", 2);
    told("b", 1);
    feedback.changed(Events.status("animals", 4, VersionStatus.State.END, ""));
    models.gone = true;
    assertThat(feedback.take("animals", List.of(labels("a", "cow"), labels("b", "cat")))).isEmpty();
    assertThat(feedback.reports().get(0).accuracy()).isEqualTo(0.5);
    clock.addAndGet(1001 * SECOND);
    assertThat(feedback.reports()).as("and goes with its window").isEmpty();
  }

  @Test
  void theEndpointJoinsAndSaysWhatIsWrong() throws Exception {
    told("a", 0);
    told("b", 1, 2);
    ServerBuilder builder = Server.builder().bossGroupFactory(name -> EventLoops.of(1, name));
    new FeedbackEndpoint(feedback).addTo(builder);
    try (Server server = builder.build()) {
      server.start().join();
      JsonNode answer =
          post(
              server,
              "animals",
              "{\"feedback\":[{\"id\":\"a\",\"label\":\"cat\"},{\"id\":\"b\",\"labels\":[1,\"cow\"]},"
                  + "{\"id\":\"c\",\"value\":1}]}",
              200);
      assertThat(answer.path("matched").asInt()).isEqualTo(2);
      assertThat(answer.path("unmatched")).hasSize(1);
      assertThat(feedback.reports().get(0).accuracy()).isEqualTo(1);
      for (String body :
          List.of(
              "",
              "[]",
              "{\"feedback\":3}",
              "{\"feedback\":[{\"id\":1,\"label\":1}]}",
              "{\"feedback\":[{\"id\":\"a\"}]}",
              "{\"feedback\":[{\"id\":\"a\",\"label\":-1}]}",
              "{\"feedback\":[{\"id\":\"a\",\"label\":1,\"value\":1}]}",
              "{\"feedback\":[{\"id\":\"a\",\"labels\":[]}]}",
              "{\"feedback\":[{\"id\":\"a\",\"value\":\"one\"}]}",
              "{\"feedback\":[{\"id\":\"a\",\"value\":NaN}]}",
              "{\"feedback\":[{\"id\":\"a\",\"label\":99999999999}]}",
              "{\"feedback\":[{\"id\":\"a\",\"id\":\"b\",\"label\":1}]}",
              "{\"feedback\":[],\"feedback\":[]}",
              "{\"feedback\":[]} {}",
              "{\"feedback\":[{\"id\":\"a\",\"labels\":[0",
              "{\"other\":" + "[".repeat(100) + "]".repeat(100) + ",\"feedback\":[]}",
              "{\"feedback\":["
                  + "{\"id\":\"a\",\"label\":1},".repeat(10_000)
                  + "{\"id\":\"a\",\"label\":1}]}",
              "{\"feedback\":[{\"id\":\"a\",\"values\":[" + "0,".repeat(1 << 20) + "0]}]}")) {
        assertThat(post(server, "animals", body, 400).path("error").asText()).as(body).isNotEmpty();
      }
      told("d", 1);
      assertThat(compressed(server, "{\"feedback\":[{\"id\":\"d\",\"label\":1}]}"))
          .isEqualTo("{\"matched\":1,\"unmatched\":[]}");
      assertThat(post(server, "plants", "{\"feedback\":[]}", 404).path("error").asText())
          .contains("plants");
    }
  }

  private static String compressed(Server server, String body) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
      gzip.write(body.getBytes(StandardCharsets.UTF_8));
    }
    URI uri =
        URI.create("http://127.0.0.1:" + server.activeLocalPort() + "/v1/models/animals:feedback");
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(uri)
                .header("content-encoding", "gzip")
                .POST(HttpRequest.BodyPublishers.ofByteArray(bytes.toByteArray()))
                .build(),
            HttpResponse.BodyHandlers.ofString())
        .body();
  }

  private static JsonNode post(Server server, String model, String body, int status)
      throws Exception {
    URI uri =
        URI.create(
            "http://127.0.0.1:" + server.activeLocalPort() + "/v1/models/" + model + ":feedback");
    HttpResponse<byte[]> response =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(uri).POST(HttpRequest.BodyPublishers.ofString(body)).build(),
                HttpResponse.BodyHandlers.ofByteArray());
    assertThat(response.statusCode()).as(body).isEqualTo(status);
    return Json.mapper().readTree(response.body());
  }
}
