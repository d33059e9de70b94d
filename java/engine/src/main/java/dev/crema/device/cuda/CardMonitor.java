package dev.crema.device.cuda;

import dev.crema.CremaException;
import dev.crema.device.cuda.calls.CudaLibraries;
import dev.crema.device.cuda.calls.MonitorCalls;
import java.nio.charset.StandardCharsets;
import java.util.OptionalDouble;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How busy a card is, by NVML, which comes with the driver but not into every container, and which
 * does not tell it of parts of a card (MIG). Thread-safe.
 */
final class CardMonitor {
  private static final Logger LOG = LoggerFactory.getLogger(CardMonitor.class);
  private static final double PERCENT = 100;
  private static final int VERSION_BYTES = 80; // NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE

  private final String name;
  private final MonitorCalls calls; // null: it does not tell
  private final long device;
  private volatile boolean silent;

  private CardMonitor(String name, MonitorCalls calls, long device) {
    this.name = name;
    this.calls = calls;
    this.device = device;
    this.silent = calls == null;
  }

  /**
   * @param busId of the card
   */
  static CardMonitor of(String name, CudaLibraries libraries, String busId) {
    try {
      MonitorCalls calls = libraries.monitor();
      long[] device = new long[1];
      check(calls, calls.nvmlInit(), "nvmlInit");
      check(
          calls,
          calls.nvmlDeviceGetHandleByPciBusId(busId, device),
          "nvmlDeviceGetHandleByPciBusId");
      return new CardMonitor(name, calls, device[0]);
    } catch (CremaException e) {
      LOG.info("It is not known how busy {} is: {}", name, e.getMessage());
      return new CardMonitor(name, null, 0);
    }
  }

  /**
   * The driver's version, as its packages are named.
   *
   * @throws CremaException saying why it is not known
   */
  static String driver(CudaLibraries libraries) {
    MonitorCalls calls = libraries.monitor();
    byte[] text = new byte[VERSION_BYTES];
    check(calls, calls.nvmlInit(), "nvmlInit");
    check(calls, calls.nvmlSystemGetDriverVersion(text), "nvmlSystemGetDriverVersion");
    return new String(text, StandardCharsets.US_ASCII).split("\0", 2)[0];
  }

  private static void check(MonitorCalls calls, int status, String call) {
    if (status != 0) {
      throw new CudaException(call, status, call + " gave " + calls.errorText(status));
    }
  }

  /** Part of the time in which it computed lately; empty, from the first failure on, if unknown. */
  OptionalDouble utilization() {
    if (silent) {
      return OptionalDouble.empty();
    }
    int[] percent = new int[1];
    int status = calls.nvmlDeviceGetUtilizationRates(device, percent);
    if (status != 0) {
      silent = true;
      LOG.info("It is not known how busy {} is: {}", name, calls.errorText(status));
      return OptionalDouble.empty();
    }
    return OptionalDouble.of(percent[0] / PERCENT);
  }
}
