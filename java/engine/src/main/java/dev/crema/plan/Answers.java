package dev.crema.plan;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/**
 * What was measured to pay on this machine, kept for as long as the process runs. One question of
 * all is measured at a time: others would disturb the timings. Thread-safe.
 *
 * @param <Q> what an answer depends on
 */
final class Answers<Q> {
  private static final Object CLOCK = new Object();

  private final Map<Q, Boolean> known = new ConcurrentHashMap<>();

  boolean of(Q question, Predicate<Q> measure) {
    Boolean answer = known.get(question);
    if (answer == null) {
      synchronized (CLOCK) {
        answer = known.computeIfAbsent(question, measure::test);
      }
    }
    return answer;
  }
}
