package dev.crema.serving.page;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.io.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A headless Chromium, driven by WebDriver (W3C) as Debian's package chromium-driver has it. */
final class Browser implements AutoCloseable {
  private static final Pattern STARTED = Pattern.compile("started successfully on port (\\d+)");
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final HttpClient http = HttpClient.newHttpClient();
  private final Process driver;
  private final URI session;

  private Browser(Process driver, URI session) {
    this.driver = driver;
    this.session = session;
  }

  /** Skips the test, saying so, where it is not installed. */
  static void assumeInstalled() {
    for (String program : new String[] {"chromium", "chromedriver"}) {
      boolean found = false;
      for (String folder : System.getenv("PATH").split(":", -1)) {
        found |= Files.isExecutable(Path.of(folder, program));
      }
      if (!found) {
        String why = program + " is not installed: apt-get install chromium chromium-driver";
        System.out.println("SKIPPED: " + why);
        assumeTrue(false, why);
      }
    }
  }

  static Browser open(Path profile, int width, int height) throws Exception {
    Process driver =
        new ProcessBuilder("chromedriver", "--port=0").redirectErrorStream(true).start();
    try {
      Browser starting = new Browser(driver, URI.create("http://127.0.0.1:" + port(driver)));
      ObjectNode body = Json.mapper().createObjectNode();
      ObjectNode wanted = body.putObject("capabilities").putObject("alwaysMatch");
      wanted.put("browserName", "chrome");
      wanted.putObject("goog:loggingPrefs").put("browser", "ALL");
      var arguments = wanted.putObject("goog:chromeOptions").putArray("args");
      for (String argument :
          new String[] {
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--user-data-dir=" + profile,
            "--window-size=" + width + "," + height,
            "--blink-settings=preferredColorScheme=1" // light
          }) {
        arguments.add(argument);
      }
      JsonNode made = starting.call("POST", "/session", body);
      return new Browser(
          driver, starting.session.resolve("/session/" + made.path("sessionId").asText()));
    } catch (Exception | AssertionError e) {
      driver.destroyForcibly();
      throw e;
    }
  }

  private static int port(Process driver) throws IOException {
    BufferedReader said =
        new BufferedReader(new InputStreamReader(driver.getInputStream(), StandardCharsets.UTF_8));
    for (String line = said.readLine(); line != null; line = said.readLine()) {
      Matcher matcher = STARTED.matcher(line);
      if (matcher.find()) {
        return Integer.parseInt(matcher.group(1));
      }
    }
    throw new IOException("chromedriver did not start");
  }

  private JsonNode call(String method, String path, JsonNode body) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(session + path))
            .timeout(PATIENCE)
            .method(
                method,
                body == null
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofString(body.toString()))
            .header("content-type", "application/json")
            .build();
    HttpResponse<byte[]> response = http.send(request, HttpResponse.BodyHandlers.ofByteArray());
    JsonNode value = Json.mapper().readTree(response.body()).path("value");
    assertThat(response.statusCode()).as(value.toString()).isEqualTo(200);
    return value;
  }

  void go(URI page) throws Exception {
    call("POST", "/url", Json.mapper().createObjectNode().put("url", page.toString()));
  }

  /** The value of a JavaScript expression. */
  JsonNode value(String expression) throws Exception {
    ObjectNode body = Json.mapper().createObjectNode().put("script", "return " + expression);
    body.putArray("args");
    return call("POST", "/execute/sync", body);
  }

  String text(String selector) throws Exception {
    return value("document.querySelector('" + selector + "')?.innerText ?? ''").asText();
  }

  /** Returns when a JavaScript expression is true. */
  void await(String expression) throws Exception {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!value("Boolean(" + expression + ")").asBoolean()) {
      assertThat(System.nanoTime()).as("never: " + expression).isLessThan(end);
      Thread.sleep(30);
    }
  }

  void click(String selector) throws Exception {
    JsonNode found =
        call(
            "POST",
            "/element",
            Json.mapper().createObjectNode().put("using", "css selector").put("value", selector));
    String id = found.properties().iterator().next().getValue().asText();
    call("POST", "/element/" + id + "/click", Json.mapper().createObjectNode());
  }

  /** As if the user had chosen dark colours; through Chromium's own protocol. */
  void dark() throws Exception {
    ObjectNode body = Json.mapper().createObjectNode().put("cmd", "Emulation.setEmulatedMedia");
    body.putObject("params")
        .putArray("features")
        .addObject()
        .put("name", "prefers-color-scheme")
        .put("value", "dark");
    call("POST", "/goog/cdp/execute", body);
  }

  /** What the console said: errors of scripts and violations of the policy among it. */
  JsonNode console() throws Exception {
    return call("POST", "/se/log", Json.mapper().createObjectNode().put("type", "browser"));
  }

  void screenshot(Path file) throws Exception {
    Files.write(file, Base64.getDecoder().decode(call("GET", "/screenshot", null).asText()));
  }

  void size(int width, int height) throws Exception {
    call(
        "POST",
        "/window/rect",
        Json.mapper().createObjectNode().put("width", width).put("height", height));
  }

  @Override
  public void close() {
    try {
      call("DELETE", "", null);
      driver.destroy();
      driver.waitFor(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    } finally {
      driver.destroyForcibly();
    }
  }
}
