package dev.crema.serving.page;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.io.Json;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.Model;
import dev.crema.serving.monitoring.Digits;
import dev.crema.serving.monitoring.ServedDigits;
import dev.crema.train.Trainer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OperationsPageTest {
  /** Where screenshots go if anybody wants to see them: -Dcrema.screenshots=FOLDER. */
  private static final String SCREENSHOTS = System.getProperty("crema.screenshots");

  @TempDir private Path folder;

  private static HttpResponse<String> get(URI server, String path) throws Exception {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(server.resolve(path)).build(),
            HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void thePageIsOneDocumentThatMayLoadNothingElse() throws Exception {
    try (TrainingPage page = new TrainingPage(0, "run")) {
      HttpResponse<String> response = get(page.uri(), "/");
      assertThat(response.headers().firstValue("content-type").orElseThrow())
          .startsWith("text/html");
      assertThat(response.headers().firstValue("content-security-policy").orElseThrow())
          .contains("default-src 'none'", "script-src 'sha256-", "style-src 'sha256-")
          .doesNotContain("unsafe");
      assertThat(response.body())
          .doesNotContain("{{")
          .doesNotContainPattern("(?:src|href)=\"https?:")
          .doesNotContain("@import")
          .doesNotContain(" style=\"");
    }
  }

  @Test
  void theOverviewTellsWhatIsServed() throws Exception {
    try (ServedDigits served = new ServedDigits(folder.resolve("models"))) {
      served.ask(600);
      JsonNode json = overview(served.uri(), 600);
      JsonNode model = json.at("/models/0");
      assertThat(model.path("name").asText()).isEqualTo("digits");
      assertThat(model.at("/versions/0/state").asText()).isEqualTo("AVAILABLE");
      assertThat(model.at("/signature/inputs/0/shape").toString()).isEqualTo("[-1,100]");
      assertThat(model.at("/signature/labels")).hasSize(10);
      assertThat(answered(json)).isEqualTo(600);
      assertThat(json.at("/drift/0/examples").asLong()).isEqualTo(600);
      assertThat(json.at("/feedback/0/labels").asLong()).isEqualTo(600);
      assertThat(json.at("/feedback/0/accuracy").asDouble()).isBetween(0.6, 1.0);
      assertThat(json.path("errors")).hasSize(24);
      assertThat(get(served.uri(), "/monitoring/crema-rules.yml").body()).contains("CremaDown");
    }
  }

  /** The overview when so many answers are in seconds that are over, or what it says at last. */
  private static JsonNode overview(URI server, long requests) throws Exception {
    JsonNode json = null;
    for (int i = 0; i < 200 && (json == null || answered(json) < requests); i++) {
      Thread.sleep(50);
      json = Json.mapper().readTree(get(server, "/api/overview").body());
    }
    return json;
  }

  private static long answered(JsonNode overview) {
    long answered = 0;
    for (JsonNode second : overview.at("/traffic/digits")) {
      answered += second.get(0).asLong();
    }
    return answered;
  }

  @Test
  void aBrowserShowsItAndPredicts() throws Exception {
    Browser.assumeInstalled();
    try (ServedDigits served = new ServedDigits(folder.resolve("models"))) {
      served.ask(600);
      try (Browser browser = Browser.open(folder.resolve("profile"), 1280, 1500)) {
        browser.go(served.uri());
        browser.await("document.documentElement.dataset.loaded");
        browser.await("document.querySelectorAll(\"#throughput path.curve\").length == 2");
        browser.await("document.getElementById(\"drift\").innerText.includes(\"like training\")");
        assertThat(browser.text("#versions")).contains("digits", "available");
        assertThat(browser.text("#figures")).contains("Requests", "Median", "p99");
        assertThat(browser.text("#drift"))
            .contains("digits version 1", "like training", "Accuracy");
        assertThat(browser.text("#failures")).contains("INVALID_ARGUMENT", "NOT_FOUND");
        // Every field has a label, and nothing needs a pointer.
        assertThat(
                browser
                    .value(
                        "[...document.querySelectorAll(\"input,select,textarea\")].filter(e =>"
                            + " !e.labels.length).length")
                    .asInt())
            .isZero();
        // A vertical stroke, as a hand would draw a one.
        browser.value(
            "[[\"down\", 40], [\"move\", 100], [\"move\", 160], [\"up\", 160]].map(([what, y]) => {"
                + "const c = document.querySelector(\"canvas.pad\"), b = c.getBoundingClientRect();"
                + "c.setPointerCapture = () => {};"
                + "c.dispatchEvent(new PointerEvent(\"pointer\" + what, {pointerId: 1,"
                + " clientX: b.left + 98, clientY: b.top + y}));})");
        browser.click("#try-form button.main");
        browser.await("document.getElementById(\"told\")");
        assertThat(browser.text("#told")).isEqualTo("1");
        assertThat(browser.console()).isEmpty();
        screenshot(browser, "light.png");
        browser.size(390, 3000);
        assertThat(browser.value("document.documentElement.scrollWidth <= innerWidth").asBoolean())
            .as("fits a phone")
            .isTrue();
        screenshot(browser, "phone.png");
        browser.size(1280, 1500);
        browser.dark();
        assertThat(browser.value("getComputedStyle(document.body).backgroundColor").asText())
            .isEqualTo("rgb(23, 21, 19)");
        screenshot(browser, "dark.png");
      }
    }
  }

  @Test
  void aTrainingIsShownWhileItRuns() throws Exception {
    Browser.assumeInstalled();
    try (TrainingPage page = new TrainingPage(0, "digits, mlp:32");
        Model model =
            Model.of(BuiltIn.topology("mlp:32", new long[] {100}, BuiltIn.Output.CLASSES, 10), 1);
        Browser browser = Browser.open(folder.resolve("profile"), 1280, 700)) {
      browser.go(page.uri());
      browser.await("document.querySelector(\"#trainings article .pill\")");
      assertThat(browser.text("#trainings article .pill")).isEqualTo("waiting");
      Trainer trainer =
          Trainer.of(model)
              .epochs(8)
              .batchSize(32)
              .threads(1)
              .validation(Digits.ALL.test())
              .callback(new Pause(browser));
      page.callbacks().forEach(trainer::callback);
      trainer.fit(Digits.ALL.train());
      browser.await("document.querySelector(\"#trainings article .pill\").textContent == \"done\"");
      assertThat(browser.text("#trainings")).contains("epoch 8 of 8", "val_accuracy");
      assertThat(
              browser.value("document.querySelectorAll(\"#trainings path.curve\").length").asInt())
          .isEqualTo(4);
      assertThat(browser.console()).isEmpty();
      screenshot(browser, "training.png");
      assertThat(get(page.uri(), "/metrics").body())
          .contains("crema_training_metric{metric=\"val_loss\",run=\"digits, mlp:32\"}");
    }
  }

  /** Lets the browser look at an epoch before the next. */
  private record Pause(Browser browser) implements dev.crema.train.Callback {
    @Override
    public void onEpochEnd(dev.crema.train.Training training, dev.crema.train.History.Epoch epoch) {
      if (epoch.epoch() != 4) {
        return;
      }
      try {
        browser.await("/epoch [34] of 8/.test(document.getElementById(\"trainings\").innerText)");
        assertThat(browser.text("#trainings article .pill")).isEqualTo("running");
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private static void screenshot(Browser browser, String file) throws Exception {
    if (SCREENSHOTS != null) {
      browser.screenshot(Path.of(SCREENSHOTS, file));
    }
  }
}
