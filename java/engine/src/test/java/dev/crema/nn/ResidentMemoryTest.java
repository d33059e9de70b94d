package dev.crema.nn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.OtherJvm;
import dev.crema.memory.Buffer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What the system counts as this process's memory stays where it is, however long it runs. In a JVM
 * whose Java heap is fixed and touched from the start: otherwise the heap's own growth, hundreds of
 * megabytes, would hide any leak.
 */
@EnabledOnOs(OS.LINUX)
class ResidentMemoryTest {
  private static final Path STATUS = Path.of("/proc/self/status");

  private static final List<String> FIXED_HEAP =
      List.of("-Xms96m", "-Xmx96m", "-XX:+AlwaysPreTouch", "-XX:TieredStopAtLevel=1");

  /**
   * Compiled code, class data and the C library's arenas of a few threads grow by less than this; a
   * leak of 16 bytes a round by more.
   */
  private static final long MOST_KILOBYTES = 8 << 10;

  private static final int WARM = 200_000;
  private static final int ROUNDS = 1_000_000;

  /** What is done again and again. */
  enum Work {
    BUFFERS {
      @Override
      void run(int rounds) {
        for (int i = 0; i < rounds; i++) {
          try (Buffer buffer = Buffer.allocate(1024 + (i & 63))) {
            buffer.borrow(0, 8).putLong(0, i);
          }
        }
      }
    },

    /** Batches of 1 to 64 examples; now and then another predictor, of another capacity. */
    PREDICTIONS {
      private static final int CAPACITY = 64;
      private static final int OF_ONE_PREDICTOR = 5_000;

      @Override
      void run(int rounds) {
        float[] examples = new float[CAPACITY * 12];
        float[] results = new float[CAPACITY * 3];
        try (Model model =
            Model.sequential(12).dense(16, Activation.RELU).dense(3, Activation.SOFTMAX).build(1)) {
          for (int from = 0; from < rounds; from += OF_ONE_PREDICTOR) {
            int capacity = 1 + from / OF_ONE_PREDICTOR % CAPACITY;
            try (Predictor predictor = model.predictor(capacity)) {
              for (int i = 0; i < OF_ONE_PREDICTOR; i++) {
                predictor.predict(examples, results, 1 + i % capacity);
              }
            }
          }
        }
      }
    },

    /** Models that come and go, each with predictors of its own for any thread. */
    MODELS {
      @Override
      void run(int rounds) {
        for (int i = 0; i < rounds / 500; i++) {
          try (Model model = Model.sequential(200).dense(100).dense(3).build(i)) {
            model.predict(new float[200]);
            model.predict(new float[3][200]);
          }
        }
      }
    };

    abstract void run(int rounds);

    /** In the other JVM. */
    public static void main(String[] arguments) {
      IntConsumer work = valueOf(arguments[0])::run;
      work.accept(WARM);
      long before = residentKilobytes();
      work.accept(ROUNDS);
      System.out.println(residentKilobytes() - before);
    }
  }

  @ParameterizedTest
  @EnumSource(Work.class)
  @Timeout(120)
  void aMillionRoundsLeaveResidentMemoryFlat(Work work) throws Exception {
    try (OtherJvm jvm = OtherJvm.start(FIXED_HEAP, Work.class, work)) {
      assertThat(Long.parseLong(jvm.finish().strip()))
          .as("kilobytes more after a million rounds")
          .isLessThan(MOST_KILOBYTES);
    }
  }

  private static long residentKilobytes() {
    System.gc();
    try {
      return Files.readAllLines(STATUS).stream()
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
          .findFirst()
          .orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
