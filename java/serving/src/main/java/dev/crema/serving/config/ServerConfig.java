package dev.crema.serving.config;

import dev.crema.CremaException;
import dev.crema.serving.security.Limits;
import dev.crema.serving.tracing.SpanSettings;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * All that a server goes by, as {@code server.yaml} says it. Each member has a default; paths are
 * relative to the file's folder.
 */
public record ServerConfig(
    Listen server,
    ModelsConfig models,
    Limits limits,
    SecurityConfig security,
    Monitor monitoring,
    SpanSettings tracing) {
  private static final String COLLECTOR = "a collector's address, as http://localhost:4318";

  /**
   * Where and how it listens.
   *
   * @param host name or address; 127.0.0.1 unless said
   * @param threads that read and write
   * @param notice how long it is not ready before it stops to answer
   * @param drain how long requests may take to end then
   * @param accessLog the share of requests that are logged, from 0 to 1
   */
  public record Listen(
      String host, int port, int threads, Duration notice, Duration drain, double accessLog) {}

  /**
   * What can be seen of it.
   *
   * @param metrics at /metrics
   * @param page at /; only with metrics
   */
  public record Monitor(boolean metrics, boolean page) {}

  /** What a server without a file goes by; models are in {@code models} of that folder. */
  public static ServerConfig byDefault(Path folder, Overrides overrides) {
    return parse("command line", "{}", folder, overrides);
  }

  /**
   * @throws CremaException if the file can't be read, or something in it is wrong: with its line
   */
  public static ServerConfig read(Path file, Overrides overrides) {
    String text;
    try {
      text = Files.readString(file);
    } catch (IOException e) {
      throw new CremaException("Can't read " + file + ": " + e.getMessage(), e);
    }
    Path folder = file.toAbsolutePath().getParent();
    return parse(file.getFileName().toString(), text, folder, overrides);
  }

  /**
   * @param name of the file, for messages
   * @param folder that relative paths begin at
   * @throws CremaException if something is wrong: with its line
   */
  public static ServerConfig parse(String name, String text, Path folder, Overrides overrides) {
    Section file = Section.parse(name, text, overrides);
    ServerConfig config =
        new ServerConfig(
            listen(file.section("server")),
            ModelsConfig.read(file.section("models"), folder),
            limits(file.section("limits")),
            SecurityConfig.read(file.section("security"), folder),
            monitor(file.section("monitoring")),
            tracing(file.section("tracing")));
    file.done();
    return config;
  }

  private static Listen listen(Section section) {
    Listen listen =
        new Listen(
            section.text("host", "127.0.0.1"),
            section.integer("port", 8501, 0, 65_535),
            section.integer("threads", Runtime.getRuntime().availableProcessors(), 1, 1024),
            section.duration("notice", Duration.ZERO),
            section.duration("drain", Duration.ofSeconds(30)),
            section.number("access_log", 0, 0, 1));
    section.done();
    return listen;
  }

  private static Limits limits(Section section) {
    Limits byDefault = Limits.DEFAULT;
    long request = section.bytes("request_bytes", byDefault.requestBytes());
    long tensor = section.bytes("tensor_bytes", byDefault.tensorBytes());
    int depth = section.integer("json_depth", byDefault.jsonDepth(), 1, 1000);
    int header = (int) Math.min(section.bytes("header_bytes", byDefault.headerBytes()), 1 << 30);
    int connections = section.integer("connections", byDefault.connections(), 1, 1 << 20);
    int inFlight = section.integer("in_flight", byDefault.inFlight(), 1, 1 << 20);
    Duration timeout = atLeastOne(section, "request_timeout", byDefault.requestTimeout());
    Duration idle = atLeastOne(section, "idle_timeout", byDefault.idleTimeout());
    section.done();
    return new Limits(request, tensor, depth, header, connections, inFlight, timeout, idle);
  }

  private static Duration atLeastOne(Section section, String member, Duration byDefault) {
    Duration time = section.duration(member, byDefault);
    if (time.toMillis() < 1) {
      throw section.error(member, "must be longer than nothing");
    }
    return time;
  }

  private static Monitor monitor(Section section) {
    Monitor monitor = new Monitor(section.flag("metrics", true), section.flag("page", true));
    section.done();
    return monitor;
  }

  private static SpanSettings tracing(Section section) {
    SpanSettings byDefault = SpanSettings.DEFAULT;
    String endpoint =
        section.of("endpoint", byDefault.endpoint(), COLLECTOR, ServerConfig::collector);
    double sample = section.number("sample", byDefault.sample(), 0, 1);
    String name = section.text("service_name", byDefault.serviceName());
    section.done();
    return new SpanSettings(endpoint, sample, name);
  }

  private static String collector(String text) {
    URI uri = URI.create(text);
    boolean http = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
    return http && uri.getHost() != null ? text : null;
  }
}
