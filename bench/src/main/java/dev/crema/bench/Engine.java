package dev.crema.bench;

import java.util.Map;

/**
 * Something that computes problems. Peers are found as services ({@link java.util.ServiceLoader}).
 */
public interface Engine {
  /** For the command line and the table. */
  String name();

  /** Name and version of the library, and how it was set up. */
  String version();

  /** Environment variables that the engine's process starts with; an empty value removes one. */
  default Map<String, String> environment() {
    return Map.of();
  }

  /** Whether this engine can do that. */
  boolean supports(Problem problem);

  /** Makes a problem ready. The caller closes it. */
  Task prepare(Problem problem, int threads);
}
