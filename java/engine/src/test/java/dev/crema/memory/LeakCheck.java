package dev.crema.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * At the end of every test class, native memory allocated minus freed is what it was at its start,
 * and the garbage collector found no buffer that nobody closed. Registered for all tests of the
 * engine and the command line; {@link PropertyLeakCheck} does the same for properties.
 */
public final class LeakCheck implements BeforeAllCallback, AfterAllCallback {
  private static final int MOST_WAITS = 10;

  /** What was held when a class began. */
  record Start(long bytes, long unclosed) {
    static Start now() {
      return new Start(Buffer.allocatedBytes(), Leaks.unclosed());
    }

    void check() {
      // Views handed out keep memory until the collector has seen that they are gone.
      for (int i = 0; i < MOST_WAITS && Buffer.allocatedBytes() != bytes; i++) {
        System.gc();
        LockSupport.parkNanos(1_000_000L << i);
      }
      assertThat(Buffer.allocatedBytes() - bytes)
          .as("bytes of native memory allocated and not freed; held are:\n%s", held())
          .isZero();
      assertThat(Leaks.unclosed() - unclosed).as("buffers that nobody closed").isZero();
    }

    private static String held() {
      return String.join("\n", Leaks.held());
    }
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    store(context).put(context.getUniqueId(), Start.now());
  }

  @Override
  public void afterAll(ExtensionContext context) {
    store(context).get(context.getUniqueId(), Start.class).check();
  }

  private static ExtensionContext.Store store(ExtensionContext context) {
    return context.getStore(ExtensionContext.Namespace.create(LeakCheck.class));
  }
}
