package dev.crema.memory;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.slf4j.LoggerFactory;

/**
 * Who holds native memory. With the system property {@code crema.leaks=true}, or with assertions
 * enabled, every allocation remembers where it was made. Thread-safe.
 */
public final class Leaks {
  private static final boolean RECORDING = recordingWanted();
  private static final int SHOWN_FRAMES = 12;
  private static final Set<String> OWN = Set.of(Leaks.class.getName(), Buffer.class.getName());

  private static final Map<Block, Throwable> HELD = new ConcurrentHashMap<>();
  private static final AtomicLong UNCLOSED = new AtomicLong();

  private Leaks() {}

  private static boolean recordingWanted() {
    String property = System.getProperty("crema.leaks");
    return property == null ? Leaks.class.desiredAssertionStatus() : Boolean.parseBoolean(property);
  }

  /** Whether allocations are recorded. */
  public static boolean isRecording() {
    return RECORDING;
  }

  /** Each block of native memory that is held: its size and where it was allocated. */
  public static List<String> held() {
    return HELD.entrySet().stream()
        .map(held -> describe(held.getKey(), held.getValue()))
        .sorted()
        .collect(Collectors.toUnmodifiableList());
  }

  /** Buffers that nobody closed and the garbage collector found, since the JVM started. */
  public static long unclosed() {
    return UNCLOSED.get();
  }

  private static String describe(Block block, Throwable origin) {
    StringBuilder text = new StringBuilder();
    text.append(origin.getMessage()).append(" of ").append(MemoryLimit.show(block.byteSize));
    text.append(", allocated");
    StackTraceElement[] frames = origin.getStackTrace();
    int shown = 0;
    for (StackTraceElement frame : frames) {
      if (!OWN.contains(frame.getClassName()) && shown < SHOWN_FRAMES) {
        text.append("\n    at ").append(frame);
        shown++;
      }
    }
    return text.toString();
  }

  static void remember(Block block, String name) {
    if (RECORDING) {
      HELD.put(block, new Throwable(name));
    }
  }

  static void forget(Block block) {
    if (RECORDING) {
      HELD.remove(block);
    }
  }

  static void warnUnclosed(Block block, String name) {
    UNCLOSED.incrementAndGet();
    Throwable origin = HELD.get(block);
    LoggerFactory.getLogger(Leaks.class)
        .warn(
            "Nobody closed {}; the garbage collector found it. Close buffers and plans, or use"
                + " try-with-resources. {}",
            name,
            origin == null
                ? "Set the system property crema.leaks=true to see where it was allocated."
                : describe(block, origin));
  }
}
