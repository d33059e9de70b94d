package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.nn.Model;
import dev.crema.train.Trainer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** How a search goes on and ends: what stays open, what cannot be made, budgets, cancellation. */
class CompressionCourseTest extends MadeUpSearch {
  @Test
  void onlyAFewOfTheBestStayOpenUntilTheEnd() {
    int count = 12;
    for (int i = 0; i < count; i++) {
      clock.with("" + i, 900 * Math.pow(0.9, i), 9000 * Math.pow(0.9, i));
    }
    Strategy many =
        s -> {
          for (int i = 0; i < count; i++) {
            attempt(s, "" + i, weighing(0, 1 + i));
            long open =
                made.stream()
                    .filter(
                        m -> {
                          try {
                            return m.parameters() != null;
                          } catch (IllegalStateException e) {
                            return false;
                          }
                        })
                    .count();
            assertThat(open).isLessThanOrEqualTo(4);
          }
        };
    try (CompressionResult r = search(many).run()) {
      assertThat(r.kept().name()).isEqualTo("11");
      assertThat(r.trials()).hasSize(count + 1);
      assertThat(r.trials().subList(1, count))
          .allMatch(t -> t.outcome() == Trial.Outcome.PASSED && !t.reason().isEmpty());
    }
  }

  @Test
  void whatCannotBeMadeIsNotedAndOtherExceptionsComeThroughWithoutALeak() {
    clock.with("fast", 500, 5000);
    Strategy impossible =
        s -> {
          attempt(
              s,
              "odd",
              () -> {
                throw new CremaException("no such layer");
              });
          attempt(s, "fast", weighing(0, 2));
        };
    try (CompressionResult r = search(impossible).run()) {
      Trial odd = trial(r, "odd");
      assertThat(odd.outcome()).isEqualTo(Trial.Outcome.IMPOSSIBLE);
      assertThat(odd.reason()).isEqualTo("no such layer");
      assertThat(odd.figures()).isNull();
      assertThat(r.kept().name()).isEqualTo("fast");
      assertThat(r.table()).contains("impossible: no such layer");
    }
    Strategy failing =
        s -> {
          attempt(s, "fast", weighing(0, 2));
          try (var held = s.attempt("held", weighing(0, 3))) {
            assertThat(held.model()).isNotNull();
            attempt(
                s,
                "bug",
                () -> {
                  throw new UnsupportedOperationException("a bug");
                });
          }
        };
    assertThatThrownBy(() -> search(failing).run())
        .isInstanceOf(UnsupportedOperationException.class);
    Compression talking =
        search(s -> attempt(s, "fast", weighing(0, 2)))
            .listener(
                new Compression.Listener() {
                  @Override
                  public void tried(Trial trial) {
                    if (trial.name().equals("fast")) {
                      throw new IllegalStateException("the listener's own");
                    }
                  }
                });
    assertThatThrownBy(talking::run).hasMessage("the listener's own");
    for (int i = 0; i < made.size(); i++) {
      requireClosed(i);
    }
  }

  @Test
  void aSearchThatIsCancelledOrOutOfTimeKeepsTheBestSoFar() {
    clock.with("fast", 500, 5000).with("faster", 50, 500);
    List<String> heard = new ArrayList<>();
    Strategy two =
        s -> {
          attempt(s, "fast", weighing(0, 2));
          attempt(s, "faster", weighing(0, 2));
        };
    Compression compression =
        search(two)
            .listener(
                new Compression.Listener() {
                  @Override
                  public void starting(String name) {
                    heard.add(name);
                  }

                  @Override
                  public void tried(Trial trial) {
                    heard.add(trial.name() + " " + trial.outcome());
                  }
                });
    try (CompressionResult r = compression.cancelWhen(() -> heard.contains("fast PASSED")).run()) {
      assertThat(heard).containsExactly("original ORIGINAL", "fast", "fast PASSED");
      assertThat(r.kept().name()).isEqualTo("fast");
      assertThat(r.notes()).contains("Not all was tried: the search was cancelled.");
    }
    try (CompressionResult r = search(two).budget(Duration.ofNanos(1)).run()) {
      assertThat(r.paid()).isFalse();
      assertThat(r.trials()).hasSize(1);
      assertThat(r.notes()).anyMatch(n -> n.startsWith("Not all was tried: the time for the sea"));
    }
  }

  @Test
  void aTrainingIsGivenUpWhenTheSearchIsCancelled() {
    AtomicInteger asked = new AtomicInteger();
    Strategy training =
        s -> {
          attempt(
              s,
              "trained",
              () -> {
                Model copy = weighing(0, 2).get();
                s.trainer(Trainer.of(copy), 1).fit(s.train());
                return copy;
              });
          attempt(s, "never", weighing(0, 2));
        };
    try (CompressionResult r =
        search(training).epochs(1_000_000).cancelWhen(() -> asked.incrementAndGet() > 10).run()) {
      assertThat(trial(r, "trained").reason()).isEqualTo("given up: the search was cancelled");
      assertThat(r.trials()).hasSize(2);
    }
  }
}
