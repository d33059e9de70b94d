package dev.crema.serving.tracing;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.UnknownFieldSet.Field;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;

/**
 * What stands where a collector would: takes OTLP over HTTP and keeps the spans. Messages are read
 * by the numbers that their fields have in OpenTelemetry's protocol.
 */
final class Collector implements AutoCloseable {
  /** One that was sent; "" for no parent; attributes as text. */
  record Received(
      String service,
      String trace,
      String id,
      String parent,
      String name,
      long kind,
      long nanos,
      long status,
      Map<String, String> attributes) {}

  private final List<Received> spans = new CopyOnWriteArrayList<>();
  final List<String> keys = new CopyOnWriteArrayList<>(); // the header of that name, one a request
  private final HttpServer server;

  Collector() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
    server.createContext("/v1/traces", this::take);
    server.start();
  }

  /** All that came once there are so many; a busy machine may need its time. */
  List<Received> await(int count) {
    while (spans.size() < count) {
      LockSupport.parkNanos(1_000_000);
      if (Thread.currentThread().isInterrupted()) {
        throw new AssertionError("Only " + spans.size() + " spans came of " + count);
      }
    }
    return List.copyOf(spans);
  }

  String endpoint() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  private void take(HttpExchange exchange) throws IOException {
    try (exchange) {
      read(UnknownFieldSet.parseFrom(exchange.getRequestBody().readAllBytes()));
      keys.add(String.valueOf(exchange.getRequestHeaders().getFirst("api-key")));
      exchange.getResponseHeaders().add("content-type", "application/x-protobuf");
      exchange.sendResponseHeaders(200, -1);
    }
  }

  private void read(UnknownFieldSet request) throws InvalidProtocolBufferException {
    for (UnknownFieldSet ofResource : messages(request, 1)) {
      UnknownFieldSet resource = messages(ofResource, 1).get(0);
      String service = attributes(resource, 1).get("service.name");
      for (UnknownFieldSet scope : messages(ofResource, 2)) {
        for (UnknownFieldSet span : messages(scope, 2)) {
          spans.add(
              new Received(
                  service,
                  hex(span.getField(1)),
                  hex(span.getField(2)),
                  hex(span.getField(4)),
                  text(span.getField(5)),
                  span.getField(6).getVarintList().get(0),
                  span.getField(8).getFixed64List().get(0)
                      - span.getField(7).getFixed64List().get(0),
                  status(span),
                  attributes(span, 9)));
        }
      }
    }
  }

  private static long status(UnknownFieldSet span) throws InvalidProtocolBufferException {
    return messages(span, 15).stream()
        .flatMap(s -> s.getField(3).getVarintList().stream())
        .findFirst()
        .orElse(0L);
  }

  private static Map<String, String> attributes(UnknownFieldSet of, int field)
      throws InvalidProtocolBufferException {
    Map<String, String> attributes = new TreeMap<>();
    for (UnknownFieldSet pair : messages(of, field)) {
      UnknownFieldSet value = messages(pair, 2).get(0);
      attributes.put(text(pair.getField(1)), value(value));
    }
    return attributes;
  }

  private static String value(UnknownFieldSet value) {
    if (value.hasField(1)) {
      return text(value.getField(1));
    }
    return value.hasField(3)
        ? Long.toString(value.getField(3).getVarintList().get(0))
        : Double.toString(Double.longBitsToDouble(value.getField(4).getFixed64List().get(0)));
  }

  private static List<UnknownFieldSet> messages(UnknownFieldSet of, int field)
      throws InvalidProtocolBufferException {
    List<UnknownFieldSet> messages = new CopyOnWriteArrayList<>();
    for (var bytes : of.getField(field).getLengthDelimitedList()) {
      messages.add(UnknownFieldSet.parseFrom(bytes));
    }
    return messages;
  }

  private static String text(Field field) {
    return field.getLengthDelimitedList().get(0).toStringUtf8();
  }

  private static String hex(Field field) {
    return field.getLengthDelimitedList().isEmpty()
        ? ""
        : HexFormat.of().formatHex(field.getLengthDelimitedList().get(0).toByteArray());
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
