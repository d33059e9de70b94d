package dev.crema.bench.serving;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What a core does while a server waits for requests. In a virtual machine an idle core goes back
 * to the host, and waking it again can take milliseconds; so Linux polls for a while first
 * ("haltpoll", guest_halt_poll_ns, 200 microseconds unless told otherwise). Where that is switched
 * off, latencies under a part of the greatest load are longer than at the greatest.
 */
final class IdleCores {
  private static final Path SYSTEM = Path.of("/sys");
  private static final String GOVERNOR = "devices/system/cpu/cpuidle/current_governor";
  private static final String POLLING = "module/haltpoll/parameters/guest_halt_poll_ns";

  private IdleCores() {}

  /** What a reader of latencies should know of this machine's idle cores, if anything. */
  static Optional<String> remark() {
    return remark(SYSTEM);
  }

  /**
   * As of another {@code /sys}.
   *
   * @param system its folder
   */
  static Optional<String> remark(Path system) {
    if (!read(system.resolve(GOVERNOR)).equals("haltpoll")) {
      return Optional.empty();
    }
    String nanos = read(system.resolve(POLLING));
    if (nanos.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        nanos.equals("0")
            ? "idle cores go back to the host at once (guest_halt_poll_ns is 0, Linux's default is"
                + " 200000): latencies at half have the host's waking in them; to measure without:"
                + " echo 200000 > /sys/"
                + POLLING
            : "idle cores poll for " + nanos + " ns before they go back to the host");
  }

  private static String read(Path file) {
    try {
      return Files.isReadable(file) ? Files.readString(file).strip() : "";
    } catch (IOException e) {
      return ""; // a remark for people only
    }
  }
}
