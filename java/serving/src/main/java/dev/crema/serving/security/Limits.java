package dev.crema.serving.security;

import com.fasterxml.jackson.core.StreamReadConstraints;
import java.time.Duration;
import java.util.Objects;

/**
 * What one client, or all of them, may ask of a server. Beyond it they are refused or cut off.
 *
 * @param requestBytes of a request's body, also when a gRPC message holds it: 413, or
 *     RESOURCE_EXHAUSTED
 * @param tensorBytes of one tensor: refused by protocols with 400, or INVALID_ARGUMENT
 * @param jsonDepth of arrays and objects in one another
 * @param headerBytes of all headers of a request: 431
 * @param connections that are open at once; more are closed as they come
 * @param inFlight requests that are being read or answered at once: 429, or RESOURCE_EXHAUSTED
 * @param requestTimeout from a request's first byte to the end of its answer: 408 while it comes,
 *     then 503, or DEADLINE_EXCEEDED; cuts those who send or read too slowly
 * @param idleTimeout of a connection without a request
 */
public record Limits(
    long requestBytes,
    long tensorBytes,
    int jsonDepth,
    int headerBytes,
    int connections,
    int inFlight,
    Duration requestTimeout,
    Duration idleTimeout) {
  public static final Limits DEFAULT =
      new Limits(
          64L << 20,
          64L << 20,
          32,
          16 << 10,
          4096,
          8192,
          Duration.ofSeconds(30),
          Duration.ofMinutes(1));

  public Limits {
    atLeastOne("requestBytes", requestBytes);
    atLeastOne("tensorBytes", tensorBytes);
    atLeastOne("jsonDepth", jsonDepth);
    atLeastOne("headerBytes", headerBytes);
    atLeastOne("connections", connections);
    atLeastOne("inFlight", inFlight);
    Objects.requireNonNull(requestTimeout, "requestTimeout");
    Objects.requireNonNull(idleTimeout, "idleTimeout");
    atLeastOne("requestTimeout in milliseconds", requestTimeout.toMillis());
    atLeastOne("idleTimeout in milliseconds", idleTimeout.toMillis());
  }

  private static void atLeastOne(String name, long value) {
    if (value < 1) {
      throw new IllegalArgumentException("Limit " + name + " must be at least 1, got " + value);
    }
  }

  /** For parsers of JSON that reads bodies of requests. */
  public StreamReadConstraints json() {
    return StreamReadConstraints.builder()
        .maxNestingDepth(jsonDepth)
        .maxDocumentLength(requestBytes)
        .maxNumberLength(64)
        .maxNameLength(1024)
        .maxStringLength((int) Math.min(Integer.MAX_VALUE, requestBytes))
        .build();
  }

  public Limits withRequestBytes(long bytes) {
    return new Limits(
        bytes,
        tensorBytes,
        jsonDepth,
        headerBytes,
        connections,
        inFlight,
        requestTimeout,
        idleTimeout);
  }

  public Limits withHeaderBytes(int bytes) {
    return new Limits(
        requestBytes,
        tensorBytes,
        jsonDepth,
        bytes,
        connections,
        inFlight,
        requestTimeout,
        idleTimeout);
  }

  public Limits withConnections(int number) {
    return new Limits(
        requestBytes,
        tensorBytes,
        jsonDepth,
        headerBytes,
        number,
        inFlight,
        requestTimeout,
        idleTimeout);
  }

  public Limits withInFlight(int number) {
    return new Limits(
        requestBytes,
        tensorBytes,
        jsonDepth,
        headerBytes,
        connections,
        number,
        requestTimeout,
        idleTimeout);
  }

  /** For a request, and for a connection without one. */
  public Limits withTimeouts(Duration request, Duration idle) {
    return new Limits(
        requestBytes, tensorBytes, jsonDepth, headerBytes, connections, inFlight, request, idle);
  }
}
