package dev.crema.serving.monitoring;

import dev.crema.serving.inference.ServingException.Code;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import java.util.concurrent.atomic.AtomicReferenceArray;

/** Meters of requests to a version by one protocol. Thread-safe. */
final class ProtocolMeters {
  private static final String OK = "OK";
  private static final Code[] CODES = Code.values();

  final String protocol;
  final Timer duration;
  private final VersionMeters owner;
  private final AtomicReferenceArray<Counter> counters =
      new AtomicReferenceArray<>(1 + CODES.length);

  ProtocolMeters(VersionMeters owner, String protocol) {
    this.owner = owner;
    this.protocol = protocol;
    this.duration = owner.requestTimer(protocol);
    counter(0); // a rate needs the series before its first request
  }

  void answered(long nanos) {
    duration.record(nanos, java.util.concurrent.TimeUnit.NANOSECONDS);
    counter(0).increment();
  }

  void refused(Code code) {
    counter(1 + code.ordinal()).increment();
  }

  private Counter counter(int place) {
    Counter counter = counters.getPlain(place);
    if (counter == null) {
      String code = place == 0 ? OK : CODES[place - 1].name();
      counter = owner.requestCounter(protocol, code);
      counters.set(place, counter);
    }
    return counter;
  }
}
