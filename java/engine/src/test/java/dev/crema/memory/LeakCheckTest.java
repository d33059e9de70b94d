package dev.crema.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.util.List;
import net.jqwik.api.Property;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/** Nothing but the settings of this module's tests makes the classes below fail. */
class LeakCheckTest {
  private static Buffer forgotten;

  static class LeakingTests {
    @Test
    void passes() {
      forgotten = Buffer.allocate(777, "Forgotten");
    }
  }

  static class LeakingProperties {
    @Property(tries = 1)
    void passes() {
      forgotten = Buffer.allocate(777, "Forgotten");
    }
  }

  static class TidyTests {
    @Test
    void passes() {
      Buffer.allocate(777).close();
    }
  }

  static class TidyProperties {
    @Property(tries = 1)
    void passes() {
      Buffer.allocate(777).close();
    }
  }

  @AfterEach
  void close() {
    if (forgotten != null) {
      forgotten.close();
    }
  }

  @ParameterizedTest
  @ValueSource(classes = {LeakingTests.class, LeakingProperties.class})
  void aClassThatLeaksFails(Class<?> tests) {
    TestExecutionSummary summary = run(tests);
    assertThat(summary.getTestsSucceededCount()).isEqualTo(1);
    assertThat(summary.getFailures())
        .isNotEmpty()
        .allSatisfy(
            failure ->
                assertThat(failure.getException())
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("Forgotten of 777 bytes, allocated")
                    .hasMessageContaining(tests.getSimpleName() + ".passes"));
  }

  @ParameterizedTest
  @ValueSource(classes = {TidyTests.class, TidyProperties.class})
  void aClassThatDoesNotPasses(Class<?> tests) {
    TestExecutionSummary summary = run(tests);
    assertThat(summary.getTestsSucceededCount()).isEqualTo(1);
    assertThat(summary.getFailures()).isEqualTo(List.of());
  }

  private static TestExecutionSummary run(Class<?> tests) {
    var listener = new SummaryGeneratingListener();
    var request = LauncherDiscoveryRequestBuilder.request().selectors(selectClass(tests)).build();
    LauncherFactory.create().execute(request, listener);
    return listener.getSummary();
  }
}
