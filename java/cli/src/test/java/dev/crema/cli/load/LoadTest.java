package dev.crema.cli.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaders;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.ResponseHeadersBuilder;
import com.linecorp.armeria.common.SessionProtocol;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.Server;
import dev.crema.CremaException;
import dev.crema.serving.http.EventLoops;
import io.netty.channel.EventLoopGroup;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LoadTest {
  private static final byte[] BODY = "{\"instances\":[[1]]}".getBytes(StandardCharsets.UTF_8);
  private static final String PATH = "/v1/models/m:predict";

  private static final EventLoopGroup THREADS = EventLoops.of(1, "load-test-server");
  private static volatile HttpService answer;
  private static Server server;

  @BeforeAll
  static void start() {
    server =
        Server.builder()
            .localPort(0, SessionProtocol.HTTP)
            .workerGroup(THREADS, false)
            .bossGroupFactory(name -> EventLoops.of(1, name))
            .serviceUnder("/", (ctx, req) -> answer.serve(ctx, req))
            .gracefulShutdownTimeout(Duration.ZERO, Duration.ZERO)
            .build();
    server.start().join();
  }

  @AfterAll
  static void stop() {
    server.stop().join();
    THREADS.shutdownGracefully().awaitUninterruptibly();
  }

  /** What the server does from now on. */
  private static void serve(HttpService service) {
    answer = service;
  }

  private LoadResult load(int connections, Load.Plan plan) {
    Target target = Target.of("http://127.0.0.1:" + server.activeLocalPort() + PATH, null, null);
    try (Lanes lanes = new HttpLanes(target, BODY, Map.of("X-API-Key", "k"), connections, null)) {
      return Load.run(lanes, plan);
    }
  }

  private static Load.Plan plan(double rate, double seconds) {
    return new Load.Plan(rate, false, 0, seconds, 1);
  }

  @Test
  void sendsEachRequestOfTheScheduleOnce() {
    AtomicInteger asked = new AtomicInteger();
    serve(
        (ctx, req) ->
            HttpResponse.of(
                req.aggregate()
                    .thenApply(
                        all -> {
                          boolean right =
                              all.contentUtf8().equals("{\"instances\":[[1]]}")
                                  && all.headers().get("x-api-key", "").equals("k")
                                  && all.path().equals(PATH);
                          asked.incrementAndGet();
                          return HttpResponse.of(right ? 200 : 400);
                        })));
    LoadResult result = load(4, plan(1000, 0.5));
    assertThat(result.requests()).isEqualTo(500);
    assertThat(result.good()).isEqualTo(500);
    assertThat(result.errors()).isEmpty();
    assertThat(asked).hasValue(500);
    assertThat(result.failed()).isFalse();
  }

  @Test
  void whatComesBeforeTheMeasurementIsNotCounted() {
    serve((ctx, req) -> HttpResponse.of(200));
    LoadResult result = load(2, new Load.Plan(800, true, 0.25, 0.25, 3));
    assertThat(result.requests()).isBetween(100L, 300L); // 200, at random
  }

  /** A stall of half a second hits all that should have been sent in it, not one a connection. */
  @Test
  void aStallCountsForAllThatWaitedForIt() {
    AtomicInteger asked = new AtomicInteger();
    serve(
        (ctx, req) ->
            asked.incrementAndGet() == 40
                ? HttpResponse.delayed(
                    HttpResponse.of(200), Duration.ofMillis(500), ctx.eventLoop())
                : HttpResponse.of(200));
    LoadResult result = load(1, plan(200, 0.8));
    assertThat(result.requests()).isEqualTo(160);
    Histogram latencies = result.latencies();
    long late =
        latencies.getCountBetweenValues(
            TimeUnit.MILLISECONDS.toNanos(100), latencies.getMaxValue());
    assertThat(late).isGreaterThanOrEqualTo(75); // 80 of them waited longer than 100 ms
    assertThat(result.millis(99)).isGreaterThan(300);
  }

  @Test
  void errorsAreCountedByTheirCode() {
    AtomicInteger asked = new AtomicInteger();
    serve((ctx, req) -> HttpResponse.of(asked.incrementAndGet() % 4 == 0 ? 503 : 200));
    LoadResult result = load(1, plan(800, 0.25));
    assertThat(result.errors()).isEqualTo(Map.of("503", 50L));
    assertThat(result.good()).isEqualTo(150);
    assertThat(result.failed()).isTrue();
    assertThat(result.json().at("/errors/503").asInt()).isEqualTo(50);
    assertThat(result.toString()).contains("50 failed: 503", "p", "max");
  }

  @Test
  void connectionsThatEndAreOpenedAgain() {
    AtomicInteger asked = new AtomicInteger();
    serve(
        (ctx, req) -> {
          if (asked.incrementAndGet() % 10 == 0) {
            ctx.initiateConnectionShutdown();
          }
          return HttpResponse.of("all is well");
        });
    LoadResult result = load(3, plan(600, 0.5));
    assertThat(result.errors()).isEmpty();
    assertThat(result.good()).isEqualTo(300);
  }

  @Test
  void whatIsCutOffIsAnError() {
    AtomicInteger asked = new AtomicInteger();
    serve(
        (ctx, req) -> {
          if (asked.incrementAndGet() % 50 == 0) {
            ctx.log().partial().channel().close();
            return HttpResponse.of(new CompletableFuture<>());
          }
          return HttpResponse.of(200);
        });
    LoadResult result = load(2, plan(400, 0.5));
    assertThat(result.requests()).isEqualTo(200);
    assertThat(result.errors()).containsOnlyKeys("connection");
    assertThat(result.errors().get("connection")).isBetween(3L, 4L);
  }

  @Test
  void answersMayComeInChunks() {
    serve(
        (ctx, req) -> {
          HttpResponseWriter writer = HttpResponse.streaming();
          writer.write(ResponseHeaders.of(200));
          for (int i = 0; i < 5; i++) {
            writer.write(HttpData.ofUtf8("part " + i));
          }
          writer.close();
          return writer;
        });
    LoadResult result = load(2, plan(400, 0.25));
    assertThat(result.errors()).isEmpty();
    assertThat(result.good()).isEqualTo(100);
  }

  @Test
  void closedLoopsSendAsTheyAreAnswered() {
    serve((ctx, req) -> HttpResponse.of(200));
    LoadResult result = load(2, plan(0, 0.5));
    assertThat(result.errors()).isEmpty();
    assertThat(result.requests()).isGreaterThan(20);
    assertThat(result.targetRate()).isZero();
  }

  @Test
  void grpcIsCountedByItsOwnCodes() {
    AtomicInteger asked = new AtomicInteger();
    serveGrpc(() -> asked.incrementAndGet() % 5 == 0 ? "8" : "0");
    LoadResult result = grpc(plan(200, 0.5), Duration.ofSeconds(10));
    assertThat(result.errors()).isEqualTo(Map.of("RESOURCE_EXHAUSTED", 20L));
    assertThat(result.good()).isEqualTo(80);
  }

  @Test
  void whatIsNeverAnsweredIsAnErrorOverGrpcToo() {
    serve((ctx, req) -> HttpResponse.of(new CompletableFuture<>()));
    for (double rate : new double[] {100, 0}) { // 10 of a schedule; or one of each of 4 lanes
      LoadResult result = grpc(plan(rate, 0.1), Duration.ofMillis(300));
      assertThat(result.errors()).isEqualTo(Map.of("no answer", rate > 0 ? 10L : 4L));
      assertThat(result.failed()).isTrue();
    }
  }

  @Test
  void closedLoopsAreAnsweredOverGrpcToo() {
    serveGrpc(() -> "0");
    LoadResult result = grpc(plan(0, 0.5), Duration.ofSeconds(10));
    assertThat(result.errors()).isEmpty();
    assertThat(result.good()).isGreaterThan(20);
  }

  @Test
  void whereTheServerSaysGoodbyeGrpcGoesOnOverAnotherConnection() {
    AtomicInteger asked = new AtomicInteger();
    serve(
        (ctx, req) -> {
          if (asked.incrementAndGet() % 10 == 0) {
            ctx.initiateConnectionShutdown();
          }
          return grpcAnswer("0");
        });
    LoadResult result = grpc(plan(600, 0.5), Duration.ofSeconds(10));
    assertThat(result.errors()).isEmpty();
    assertThat(result.good()).isEqualTo(300);
  }

  @Test
  void callsOfAConnectionThatBreaksAreErrorsAndOthersGoOn() {
    AtomicInteger asked = new AtomicInteger();
    serve(
        (ctx, req) -> {
          if (asked.incrementAndGet() % 50 == 0) {
            ctx.log().partial().channel().unsafe().closeForcibly();
            return HttpResponse.of(new CompletableFuture<>());
          }
          return grpcAnswer("0");
        });
    LoadResult result = grpc(plan(400, 0.5), Duration.ofSeconds(10));
    assertThat(result.requests()).isEqualTo(200);
    assertThat(result.errors()).containsOnlyKeys("UNAVAILABLE");
    // a lane or several were under way each time
    assertThat(result.errors().get("UNAVAILABLE")).isBetween(3L, 16L);
  }

  /** Answers with a message, behind which the status comes, or with a status alone. */
  private static void serveGrpc(Supplier<String> status) {
    serve(
        (ctx, req) ->
            HttpResponse.of(
                req.aggregate()
                    .thenApply(
                        all ->
                            all.content().length() == 5 + BODY.length
                                ? grpcAnswer(status.get())
                                : grpcAnswer("3"))));
  }

  private static HttpResponse grpcAnswer(String status) {
    boolean good = status.equals("0");
    ResponseHeadersBuilder headers =
        ResponseHeaders.builder(200).add("content-type", "application/grpc");
    return good
        ? HttpResponse.of(
            headers.build(),
            HttpData.wrap(new byte[] {0, 0, 0, 0, 1, 42}),
            HttpHeaders.of("grpc-status", status))
        : HttpResponse.of(headers.endOfStream(true).add("grpc-status", status).build());
  }

  private static LoadResult grpc(Load.Plan plan, Duration grace) {
    Target target =
        Target.of(
            "http://127.0.0.1:" + server.activeLocalPort(), Target.Protocol.TENSORFLOW_GRPC, "m");
    try (Lanes lanes = new GrpcLanes(target, "/x.Y/Z", BODY, Map.of("X-API-Key", "k"), 4, null)) {
      return Load.run(lanes, plan, grace);
    }
  }

  @Test
  void aServerThatIsNotThereIsAnError() throws Exception {
    serve((ctx, req) -> HttpResponse.of(200));
    int free;
    try (ServerSocket socket = new ServerSocket(0)) {
      free = socket.getLocalPort();
    }
    Target target = Target.of("http://127.0.0.1:" + free + PATH, null, null);
    assertThatThrownBy(() -> new HttpLanes(target, BODY, Map.of(), 1, null))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("127.0.0.1:" + free);
    assertThatThrownBy(() -> new GrpcLanes(target, "/x.Y/Z", BODY, Map.of(), 1, null))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("127.0.0.1:" + free);
  }

  @Test
  void theSearchEndsCloseBelowTheLimit() {
    serve((ctx, req) -> HttpResponse.of(200));
    for (double limit : new double[] {3, 900, 1000, 12_345, 70_000}) {
      Map<Double, Boolean> tried = new TreeMap<>();
      LoadResult best =
          Search.highestRate(
              1000,
              5,
              rate -> {
                tried.put(rate, rate <= limit);
                Histogram latencies = new Histogram(3);
                latencies.recordValue(rate <= limit ? 1_000_000 : 9_000_000);
                return new LoadResult(rate, 1, 1, Map.of(), latencies);
              });
      assertThat(best.targetRate()).isLessThanOrEqualTo(limit).isGreaterThan(limit / 1.06);
      assertThat(tried.size()).isLessThan(25);
    }
    LoadResult none =
        Search.highestRate(
            1000, 5, rate -> new LoadResult(rate, 1, 0, Map.of("503", 1L), new Histogram(3)));
    assertThat(none).isNull();
  }

  @Test
  void addressesSayProtocolAndModel() {
    serve((ctx, req) -> HttpResponse.of(200));
    Target tensorflow = Target.of("localhost:8501/v1/models/m/versions/3:predict", null, null);
    assertThat(tensorflow.protocol()).isEqualTo(Target.Protocol.TENSORFLOW);
    assertThat(tensorflow.model()).isEqualTo("m");
    assertThat(tensorflow.port()).isEqualTo(8501);
    Target open = Target.of("https://h/v2/models/m/infer", null, null);
    assertThat(open.protocol()).isEqualTo(Target.Protocol.OPEN_INFERENCE);
    assertThat(open.port()).isEqualTo(443);
    assertThat(Target.of("http://h:1", null, "m").uri())
        .hasToString("http://h:1/v1/models/m:predict");
    assertThat(Target.of("http://h:1", Target.Protocol.OPEN_INFERENCE, "m").uri())
        .hasToString("http://h:1/v2/models/m/infer");
    assertThat(Target.of("http://h:1/other:predict", null, null).model()).isEmpty();
    for (String wrong : List.of("http://h:1", "ftp://h/v1/models/m:predict", "http://", "::")) {
      assertThatThrownBy(() -> Target.of(wrong, null, null))
          .as(wrong)
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
