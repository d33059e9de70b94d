package dev.crema.cli;

import static dev.crema.cli.CommandRun.run;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.cli.CommandRun.Result;
import dev.crema.io.Json;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import dev.crema.serving.security.ApiKey;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class ServeCommandTest {
  private static final Pattern URL = Pattern.compile("Serving at (http://127\\.0\\.0\\.1:\\d+) ");

  @TempDir private Path folder;

  /** The command as a process: what it prints, a load, and its end by a signal. */
  @Test
  void servesUntilItIsToldToStop() throws Exception {
    try (Model model = Model.sequential(4).dense(8, Activation.RELU).dense(3).build(1)) {
      model.save(folder.resolve("flowers/1"));
    }
    Process process = start("serve", "--models", "" + folder, "--port", "0", "--max-batch", "16");
    try (BufferedReader out = process.inputReader()) {
      List<String> printed = untilItServes(out);
      assertThat(printed.get(0)).isEqualTo("flowers: version 1 available");
      String url = url(printed);
      String curl = out.readLine();
      assertThat(curl).contains("curl -d '{\"instances\":[[0,0,0,0]]}' " + url);
      assertThat(post(curl)).contains("predictions");

      Result load =
          run(
              "load-test",
              url,
              "--model",
              "flowers",
              "--rate",
              "100",
              "--duration",
              "0.5",
              "--warm-up",
              "0.2",
              "--json");
      assertThat(load.code()).as(load.err()).isZero();
      JsonNode json = load.json();
      assertThat(json.get("requests").asInt()).isEqualTo(50);
      assertThat(json.at("/latency_us/p99").asDouble()).isPositive();
      assertThat(json.get("errors")).isEmpty();
      for (String protocol : List.of("open_inference", "tensorflow_grpc", "open_inference_grpc")) {
        Result other =
            run(
                "load-test",
                url,
                "--model",
                "flowers",
                "--protocol",
                protocol,
                "--batch",
                "3",
                "--rate",
                "50",
                "--duration",
                "0.4",
                "--warm-up",
                "0");
        assertThat(other.code()).as(protocol + other.out() + other.err()).isZero();
        assertThat(other.out()).contains("20 requests", "percentile");
      }
      Result missing = run("load-test", url + "/v1/models/none:predict");
      assertThat(missing.code()).isEqualTo(1);
      assertThat(missing.err()).contains("404", "none");

      process.destroy(); // SIGTERM
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isEqualTo(143);
    } finally {
      process.destroyForcibly();
    }
    assertThat(Files.readString(folder.resolve("err"))).contains("crema: stopping");
  }

  /** Nobody has set up a logger: the lines that were asked for are there all the same. */
  @Test
  void writesTheAccessLogAndAnAuditLineForEachAdminAction() throws Exception {
    try (Model model = Model.sequential(4).dense(3).build(1)) {
      model.save(folder.resolve("models/flowers/1"));
      model.save(folder.resolve("models/misplaced"));
    }
    ApiKey operator = ApiKey.create();
    Path config =
        Files.writeString(
            folder.resolve("server.yaml"),
            """
            server: {port: 0, access_log: 1}
            security: {keys: [{name: operator, hash: '%s', scopes: [admin, metadata]}]}
            """
                .formatted(operator.hash()));
    Process process = start("serve", "--config", "" + config);
    try (BufferedReader out = process.inputReader()) {
      List<String> printed = untilItServes(out);
      assertThat(printed)
          .contains("misplaced: no version; put one into its folder as misplaced/1/");
      String url = url(printed);
      assertThat(post(url + "/v2/repository/models/flowers/unload", operator)).isEqualTo(200);
      assertThat(post(url + "/v1/models/flowers:predict", ApiKey.create())).isEqualTo(401);
      process.destroy();
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    List<String> lines = Files.readAllLines(folder.resolve("err"));
    JsonNode action = line(lines, "\"event\":\"admin\"");
    assertThat(action.path("principal").textValue()).isEqualTo("operator");
    assertThat(action.path("action").textValue()).isEqualTo("unload flowers");
    assertThat(action.path("status").intValue()).isEqualTo(200);
    assertThat(line(lines, "\"event\":\"refused\"").path("code").textValue())
        .isEqualTo("UNAUTHENTICATED");
    JsonNode request = line(lines, "\"status\":401");
    assertThat(request.path("path").textValue()).isEqualTo("/v1/models/flowers:predict");
    assertThat(request.path("micros").longValue()).isPositive();
    assertThat(String.join("\n", lines)).contains("flowers version 1 serves after");
  }

  /** The JSON of the one line that has this. */
  private static JsonNode line(List<String> lines, String part) throws IOException {
    List<String> found = lines.stream().filter(line -> line.contains(part)).toList();
    assertThat(found).as(part + " in " + lines).hasSize(1);
    return Json.mapper().readTree(found.get(0).substring(found.get(0).indexOf('{')));
  }

  private static int post(String url, ApiKey key) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url))
            .header("x-api-key", key.key())
            .POST(HttpRequest.BodyPublishers.ofString("{}"))
            .build();
    return HttpClient.newHttpClient()
        .send(request, HttpResponse.BodyHandlers.ofString())
        .statusCode();
  }

  @Test
  void saysWhatIsWrongWithItsSettings() throws Exception {
    Result none = run("serve", "--models", "" + folder.resolve("none"));
    assertThat(none.code()).isEqualTo(1);
    assertThat(none.err()).startsWith("crema: ").contains("none is no folder");
    Path config = Files.writeString(folder.resolve("server.yaml"), "server:\n  prt: 1\n");
    Result wrong = run("serve", "--config", "" + config);
    assertThat(wrong.code()).isEqualTo(1);
    assertThat(wrong.err()).contains("server.yaml:2: server.prt is not known");
    Result set = run("serve", "--models", "" + folder, "--set", "limits.in_flight=no");
    assertThat(set.code()).isEqualTo(1);
    assertThat(set.err()).contains("command line: limits.in_flight must be");
    assertThat(run("serve", "--port", "x").code()).isEqualTo(2);
  }

  @Test
  void theExampleOfSettingsIsPrinted() {
    Result example = run("serve", "--example-config");
    assertThat(example.code()).isZero();
    assertThat(example.out()).contains("server:", "models:", "security:", "limits:");
  }

  @Test
  void keysArePrintedOnceAndKeptAsHashes() {
    Result key = run("serve-key", "web", "predict:digits", "metadata");
    assertThat(key.code()).isZero();
    assertThat(key.out().strip()).startsWith("crema_").hasSize(49);
    assertThat(key.err())
        .contains("- name: web", "hash: sha256:", "scopes: [predict:digits, metadata]")
        .doesNotContain(key.out().strip());
    assertThat(run("serve-key", "web", "everything").code()).isEqualTo(2);
    assertThat(run("serve-key", "web").code()).isEqualTo(2);
  }

  @Test
  void loadTestsThatMeanNothingAreWrongUse() {
    assertThat(run("load-test", "http://localhost:1").code()).isEqualTo(2);
    assertThat(run("load-test", "http://h/v1/models/m:predict", "--rate", "0").code()).isEqualTo(2);
    assertThat(run("load-test", "http://h/v1/models/m:predict", "--closed", "--find-max").code())
        .isEqualTo(2);
    assertThat(run("load-test", "http://h", "--model", "m", "--protocol", "smoke").code())
        .isEqualTo(2);
  }

  private Process start(String... command) throws IOException {
    List<String> all = new ArrayList<>();
    all.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    all.add("-cp");
    all.add(System.getProperty("java.class.path"));
    all.add(Main.class.getName());
    all.addAll(List.of(command));
    return new ProcessBuilder(all).redirectError(new File(folder.toFile(), "err")).start();
  }

  private static List<String> untilItServes(BufferedReader out) throws IOException {
    List<String> lines = new ArrayList<>();
    for (String line = out.readLine(); line != null; line = out.readLine()) {
      lines.add(line);
      if (URL.matcher(line).find()) {
        return lines;
      }
    }
    throw new AssertionError("It ended: " + lines);
  }

  private static String url(List<String> lines) {
    Matcher matcher = URL.matcher(lines.get(lines.size() - 1));
    assertThat(matcher.find()).isTrue();
    return matcher.group(1);
  }

  /** What the printed line asks for, without a shell. */
  private static String post(String curl) throws IOException, InterruptedException {
    Matcher parts = Pattern.compile("curl -d '(.*)' (\\S+)").matcher(curl);
    assertThat(parts.find()).isTrue();
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(parts.group(2)))
            .POST(HttpRequest.BodyPublishers.ofString(parts.group(1)))
            .build();
    return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
  }
}
