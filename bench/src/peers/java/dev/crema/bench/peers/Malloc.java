package dev.crema.bench.peers;

import java.util.Map;

/** Settings of glibc's allocator, for engines that ask it for memory in every run. */
final class Malloc {
  /** It gives big blocks back to the system, and page faults then double a step's time. */
  static final Map<String, String> KEEP_PAGES =
      Map.of(
          "GLIBC_TUNABLES",
          "glibc.malloc.trim_threshold=17179869184:glibc.malloc.mmap_max=0"
              + ":glibc.malloc.arena_max=1");

  private Malloc() {}
}
