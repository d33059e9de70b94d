package dev.crema.bench.serving;

import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** Good requests at a steady rate, malformed ones among them, and connections that break off. */
final class SoakTraffic implements AutoCloseable {
  private static final int MOST_AT_ONCE = 2000;
  private static final double MALFORMED = 0.05;
  private static final List<String> BODIES =
      List.of(
          "",
          "{",
          "[1, 2",
          "{\"instances\": 7}",
          "{\"instances\": [[1, 2, 3]]}",
          "{\"instances\": [[\"a\"]]}",
          "{\"inputs\": {\"nobody\": [1]}}",
          "{\"instances\": [" + "[".repeat(200) + "]",
          "\u0000\u0001\u0002",
          "{\"instances\": [[1e999]]}");

  private final URI predict;
  private final String body;
  private final SoakVersions versions;
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(10))
          .build();
  private final ScheduledExecutorService clock = Executors.newScheduledThreadPool(1);
  private final Semaphore free = new Semaphore(MOST_AT_ONCE);
  private final AtomicLong due = new AtomicLong();
  final LongAdder right = new LongAdder();
  final LongAdder wrong = new LongAdder();
  final LongAdder rejected = new LongAdder(); // 429 and 503: told so, not lost
  final LongAdder lost = new LongAdder(); // no answer, or one of the server's own failures
  final LongAdder refused = new LongAdder(); // malformed, with a status from 400 to 499
  final LongAdder misjudged = new LongAdder(); // malformed, with any other answer
  final LongAdder broken = new LongAdder(); // connections cut by the client
  final LongAdder notSent = new LongAdder(); // too many under way already
  private volatile String example = ""; // of what went wrong

  SoakTraffic(URI predict, String body, SoakVersions versions) {
    this.predict = predict;
    this.body = body;
    this.versions = versions;
  }

  /** Starts it; {@code rate} requests a second. */
  void start(double rate) {
    long begin = System.nanoTime();
    clock.scheduleAtFixedRate(
        () -> {
          long target = (long) ((System.nanoTime() - begin) * 1e-9 * rate);
          while (due.get() < target) {
            due.incrementAndGet();
            send();
          }
        },
        0,
        1,
        TimeUnit.MILLISECONDS);
    clock.scheduleAtFixedRate(this::breakOff, 50, 50, TimeUnit.MILLISECONDS);
  }

  /** What went wrong last, for people. */
  String example() {
    return example;
  }

  private void send() {
    if (!free.tryAcquire()) {
      notSent.increment();
      return;
    }
    boolean malformed = ThreadLocalRandom.current().nextDouble() < MALFORMED;
    String text = malformed ? BODIES.get(ThreadLocalRandom.current().nextInt(BODIES.size())) : body;
    HttpRequest request =
        HttpRequest.newBuilder(predict)
            .timeout(Duration.ofSeconds(30))
            .POST(HttpRequest.BodyPublishers.ofString(text))
            .build();
    client
        .sendAsync(request, HttpResponse.BodyHandlers.ofString())
        .whenComplete(
            (answer, failure) -> {
              free.release();
              if (failure != null) {
                lost.increment();
                example = failure.toString();
              } else if (malformed) {
                malformed(text, answer);
              } else {
                judge(answer);
              }
            });
  }

  private void malformed(String text, HttpResponse<String> answer) {
    int status = answer.statusCode();
    if (status >= 400 && status < 500 || status == 503) {
      refused.increment();
    } else {
      misjudged.increment();
      example = status + " for " + text;
    }
  }

  private void judge(HttpResponse<String> answer) {
    int status = answer.statusCode();
    if (status == 429 || status == 503) {
      rejected.increment();
    } else if (status != 200) {
      lost.increment();
      example = status + ": " + answer.body();
    } else if (versions.isRight(row(answer.body()))) {
      right.increment();
    } else {
      wrong.increment();
      example = answer.body();
    }
  }

  private static float[] row(String body) {
    try {
      return RunningServer.firstRow(body);
    } catch (IOException e) {
      return new float[0];
    }
  }

  /** Sends part of a request and resets the connection. */
  private void breakOff() {
    try (Socket socket = new Socket(predict.getHost(), predict.getPort())) {
      socket.setSoLinger(true, 0);
      OutputStream out = socket.getOutputStream();
      String start =
          "POST "
              + predict.getPath()
              + " HTTP/1.1\r\nHost: x\r\nContent-Length: "
              + body.length()
              + "\r\n\r\n"
              + body;
      int length = ThreadLocalRandom.current().nextInt(1, start.length() + 1);
      out.write(start.getBytes(StandardCharsets.UTF_8), 0, length);
      out.flush();
      broken.increment();
    } catch (IOException e) {
      // the server may be the one to cut it
    }
  }

  /** Sends nothing more and waits for the answers that are due. */
  @Override
  public void close() {
    clock.shutdownNow();
    try {
      free.tryAcquire(MOST_AT_ONCE, 40, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
