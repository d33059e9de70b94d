package dev.crema.serving.monitoring;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.io.Json;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.Model;
import dev.crema.train.Trainer;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A Prometheus as Debian has it scrapes a server under load, with the shipped rules; every
 * expression of the rules and of the dashboard has data then.
 */
class PrometheusTest {
  /** What an alert compares with: without it the expression has data although nothing is wrong. */
  private static final Pattern COMPARISON = Pattern.compile("\\s*(<|>)\\s*[0-9.]+\\s*$");

  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(90);

  @TempDir private Path folder;

  @Test
  void rulesAreClean() throws Exception {
    Promtool.assumeInstalled("promtool");
    Path rules =
        Files.write(
            folder.resolve(MonitoringFiles.RULES), MonitoringFiles.read(MonitoringFiles.RULES));
    assertThat(Promtool.run(null, "check", "rules", rules.toString())).contains("SUCCESS");
    Path config =
        Files.write(
            folder.resolve("prometheus.yml"), MonitoringFiles.read(MonitoringFiles.PROMETHEUS));
    assertThat(Promtool.run(null, "check", "config", config.toString())).contains("SUCCESS");
  }

  /** A model that failed calls for somebody; one that was unloaded does not. */
  @Test
  void modelsThatWereUnloadedRaiseNoAlarm() throws Exception {
    Promtool.assumeInstalled("promtool");
    Files.write(folder.resolve(MonitoringFiles.RULES), MonitoringFiles.read(MonitoringFiles.RULES));
    String test =
        "rule_files: ["
            + MonitoringFiles.RULES
            + "]\ntests:\n  - interval: 1m\n    input_series:\n"
            + version("serves", 1, 1, 0, 0)
            + version("serves", 2, 0, 1, 1) // its reload failed, the old one serves on
            + version("loads", 1, 0, 0, 0)
            + version("failed", 1, 0, 1, 0)
            + version("failed", 2, 0, 1, 1)
            + version("unloaded", 1, 0, 1, 0)
            + "    alert_rule_test:\n"
            + "      - {eval_time: 5m, alertname: CremaModelUnavailable, exp_alerts: ["
            + alarm("loads")
            + ", "
            + alarm("failed")
            + "]}\n";
    Path file = Files.writeString(folder.resolve("test.yml"), test);
    assertThat(Promtool.run(null, "test", "rules", file.toString())).contains("SUCCESS");
  }

  private static String version(String model, int version, int available, int end, int failed) {
    String labels = "instance=\"a\",model=\"" + model + "\",version=\"" + version + "\"";
    return series("crema_model_state{" + labels + ",state=\"available\"}", available)
        + series("crema_model_state{" + labels + ",state=\"end\"}", end)
        + series("crema_model_failed{" + labels + "}", failed);
  }

  private static String series(String name, int value) {
    return "      - {series: '" + name + "', values: '" + value + "x10'}\n";
  }

  private static String alarm(String model) {
    return "{exp_labels: {severity: critical, instance: a, model: "
        + model
        + "}, exp_annotations: {summary: No version of "
        + model
        + " is available on a}}";
  }

  @Test
  void everyExpressionHasData() throws Exception {
    Promtool.assumeInstalled("prometheus");
    try (ServedDigits served = new ServedDigits(folder.resolve("models"))) {
      new DeviceMetrics(List.of(new FixedUse())).bindTo(served.monitoring.registry());
      train(served.monitoring);
      served.number(1.5);
      int port = freePort();
      Process prometheus = start(served.uri(), port);
      try {
        URI api = URI.create("http://127.0.0.1:" + port + "/api/v1/query");
        List<String> missing = expressions();
        assertThat(missing).hasSizeGreaterThan(60);
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (!missing.isEmpty() && System.nanoTime() < end) {
          assertThat(prometheus.isAlive()).as("Prometheus runs").isTrue();
          served.ask(100);
          Thread.sleep(500);
          List<String> still = new ArrayList<>();
          for (String expression : missing) {
            if (!hasData(api, expression)) {
              still.add(expression);
            }
          }
          missing = still;
        }
        assertThat(missing).as("expressions without data").isEmpty();
      } finally {
        prometheus.destroy();
        prometheus.waitFor(10, TimeUnit.SECONDS);
        prometheus.destroyForcibly();
      }
    }
  }

  private static void train(Monitoring monitoring) {
    try (Model model =
        Model.of(BuiltIn.topology("mlp:8", new long[] {100}, BuiltIn.Output.CLASSES, 10), 1)) {
      Trainer.of(model)
          .epochs(2)
          .threads(1)
          .validation(Digits.ALL.test())
          .callback(new TrainingMetrics(monitoring.registry(), "test"))
          .fit(Digits.ALL.train().take(1000));
    }
  }

  private Process start(URI server, int port) throws IOException {
    String config =
        new String(MonitoringFiles.read(MonitoringFiles.PROMETHEUS), StandardCharsets.UTF_8)
            .replace("127.0.0.1:8501", server.getAuthority())
            .replace("scrape_interval: 15s", "scrape_interval: 1s\n  evaluation_interval: 1s");
    assertThat(config).contains(server.getAuthority(), "evaluation_interval");
    Files.writeString(folder.resolve("prometheus.yml"), config);
    Files.write(folder.resolve(MonitoringFiles.RULES), MonitoringFiles.read(MonitoringFiles.RULES));
    return new ProcessBuilder(
            "prometheus",
            "--config.file=" + folder.resolve("prometheus.yml"),
            "--storage.tsdb.path=" + folder.resolve("data"),
            "--web.listen-address=127.0.0.1:" + port,
            "--enable-feature=exemplar-storage")
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve("prometheus.log").toFile())
        .start();
  }

  /** Prometheus 2.42 can't take port 0; another process may take this one, but seldom does. */
  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private static List<String> expressions() throws IOException {
    List<String> all = new ArrayList<>();
    JsonNode dashboard = Json.mapper().readTree(MonitoringFiles.read(MonitoringFiles.DASHBOARD));
    for (JsonNode panel : dashboard.path("panels")) {
      for (JsonNode target : panel.path("targets")) {
        all.add(
            target
                .path("expr")
                .asText()
                .replace("$__rate_interval", "1m")
                .replaceAll("\\$(model|version|instance|run)", ".*"));
      }
    }
    for (JsonNode variable : dashboard.at("/templating/list")) {
      String query = variable.path("definition").asText();
      if (query.startsWith("label_values(")) {
        String selector = query.substring("label_values(".length(), query.lastIndexOf(','));
        all.add(selector.replaceAll("\\$(model|version|instance|run)", ".*"));
      }
    }
    for (JsonNode group : rules().path("groups")) {
      for (JsonNode rule : group.path("rules")) {
        String expression = rule.path("expr").asText();
        if (rule.has("alert")) {
          assertThat(expression).containsPattern(COMPARISON);
          expression = COMPARISON.matcher(expression).replaceFirst("");
        } else {
          all.add(rule.path("record").asText());
        }
        all.add(expression);
      }
    }
    assertThat(all).noneMatch(e -> e.contains("$"));
    return all;
  }

  private static JsonNode rules() throws IOException {
    return new com.fasterxml.jackson.dataformat.yaml.YAMLMapper()
        .readTree(MonitoringFiles.read(MonitoringFiles.RULES));
  }

  private static boolean hasData(URI api, String expression) throws Exception {
    URI uri = URI.create(api + "?query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8));
    HttpResponse<byte[]> response;
    try {
      response =
          HttpClient.newHttpClient()
              .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofByteArray());
    } catch (IOException e) {
      return false; // it is still starting
    }
    if (response.statusCode() == 503) {
      return false; // as well
    }
    JsonNode json = Json.mapper().readTree(response.body());
    assertThat(json.path("status").asText()).as(expression + ": " + json).isEqualTo("success");
    for (JsonNode sample : json.at("/data/result")) {
      if (!sample.at("/value/1").asText().equals("NaN")) {
        return true;
      }
    }
    return false;
  }
}
