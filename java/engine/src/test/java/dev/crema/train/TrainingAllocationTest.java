package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.memory.Buffer;
import dev.crema.memory.Shape;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.Model;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a step allocates on the heap once the JVM has compiled it. */
class TrainingAllocationTest {
  private static final int FEATURES = 20;
  private static final int CLASSES = 5;
  private static final int ROWS = 6000;
  private static final int EPOCHS = 60; // at most: until the JVM has compiled it all
  private static final int ROUNDS = 25;

  /** Bytes: what asking for the number allocates itself, once a round. */
  private static final long MEASURING = 200;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static long allocatedBy(Thread thread) {
    return THREADS.getThreadAllocatedBytes(thread.getId());
  }

  private static Dataset data(boolean classes) {
    Random random = new Random(5);
    float[] x = new float[ROWS * FEATURES];
    int[] labels = new int[ROWS];
    for (int i = 0; i < x.length; i++) {
      x[i] = random.nextFloat();
      labels[i / FEATURES] = random.nextInt(CLASSES);
    }
    Shape shape = Shape.of(FEATURES);
    return classes
        ? Datasets.of(x, shape, labels, List.of("a", "b", "c", "d", "e"))
        : Datasets.regression(x, shape, new float[ROWS * CLASSES], CLASSES);
  }

  private static Model model(BuiltIn.Output output) {
    return Model.of(BuiltIn.topology("mlp:8", new long[] {FEATURES}, output, CLASSES), 1);
  }

  private static Model masked(Model model, boolean pruned) {
    if (pruned) {
      model.masks().set("dense_1/kernel", new boolean[8 * FEATURES]);
    }
    return model;
  }

  private static TrainingStep step(Trainer trainer, Dataset data) {
    return new TrainingStep(trainer, 4, trainer.outputs.heads(data));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aStepWithItsBindingsAndAccuracyAllocatesNothing(boolean pruned) {
    try (Model model = masked(model(BuiltIn.Output.CLASSES), pruned);
        TrainingStep step = step(Trainer.of(model).clipNorm(1).accumulate(2), data(true));
        Buffer x0 = Buffer.allocate(4 * 4 * FEATURES);
        Buffer x1 = Buffer.allocate(4 * 4 * FEATURES);
        Buffer y0 = Buffer.allocate(4 * 4);
        Buffer y1 = Buffer.allocate(4 * 4)) {
      Runnable work =
          () -> {
            for (int i = 0; i < 5000; i++) {
              step.bind(0, i % 2 == 0 ? x0 : x1);
              step.bind(1, i % 2 == 0 ? y0 : y1);
              step.run(4, 1e-3, i % 2 == 1);
              step.outputs().get(0).correct(4);
            }
          };
      long least = Long.MAX_VALUE;
      for (int round = 0; round < ROUNDS && least >= MEASURING; round++) {
        long before = allocatedBy(Thread.currentThread());
        work.run();
        least = Math.min(least, allocatedBy(Thread.currentThread()) - before);
      }
      assertThat(least).isLessThan(MEASURING);
    }
  }

  /** Looks at both threads of a training at two steps of each epoch. */
  private static final class Meter implements Callback {
    private static final int FROM = 100;
    private static final int TO = ROWS - 100;
    static final double ENOUGH = 0.1;

    private final Thread trainer = Thread.currentThread();
    private Thread prefetcher;
    private long step;
    private long trainerBytes;
    private long prefetcherBytes;
    long leastOfTrainer = Long.MAX_VALUE;
    long leastOfPrefetcher = Long.MAX_VALUE;

    @Override
    public void onTrainingBegin(Training training) {
      prefetcher =
          Thread.getAllStackTraces().keySet().stream()
              .filter(t -> t.getName().equals("crema-prefetch") && t.isAlive())
              .findFirst()
              .orElseThrow();
    }

    @Override
    public void onStepEnd(Training training, long number, float loss) {
      step++;
      if (step == FROM) {
        trainerBytes = allocatedBy(trainer);
        prefetcherBytes = allocatedBy(prefetcher);
      } else if (step == TO) {
        leastOfTrainer = Math.min(leastOfTrainer, allocatedBy(trainer) - trainerBytes);
        leastOfPrefetcher = Math.min(leastOfPrefetcher, allocatedBy(prefetcher) - prefetcherBytes);
      }
    }

    @Override
    public void onEpochEnd(Training training, History.Epoch epoch) {
      step = 0;
      if (bytesAStep() < ENOUGH && bytesABatch() < ENOUGH) {
        training.stop("it allocates nothing");
      }
    }

    double bytesAStep() {
      return (double) leastOfTrainer / (TO - FROM);
    }

    double bytesABatch() {
      return (double) leastOfPrefetcher / (TO - FROM);
    }
  }

  @ParameterizedTest
  @CsvSource({"CLASSES, true", "LABELS, false", "VALUES, false"})
  void anEpochAllocatesNothingForItsSteps(BuiltIn.Output output, boolean classes) {
    Meter meter = new Meter();
    try (Model model = model(output)) {
      Trainer.of(model)
          .batchSize(1)
          .epochs(EPOCHS)
          .schedule(LearningRate.cosine(1e-3, 0, 10))
          .clipNorm(1)
          .callback(new ReduceOnPlateau("loss", 0.5, 3))
          .callback(meter)
          .fit(data(classes));
    }
    assertThat(meter.bytesAStep()).as("bytes a step").isLessThan(Meter.ENOUGH);
    assertThat(meter.bytesABatch()).as("bytes a batch").isLessThan(Meter.ENOUGH);
  }

  @Test
  void stepsOfSeveralOutputsAllocateNothingEither() {
    int[] classes = new int[ROWS];
    Dataset data =
        Datasets.arrays()
            .input("x", new float[ROWS * TwoOutputs.FEATURES], TwoOutputs.FEATURES)
            .target("kind", classes, List.of("a", "b", "c"))
            .target("place", new float[ROWS * TwoOutputs.PLACES], TwoOutputs.PLACES)
            .build();
    Meter meter = new Meter();
    try (Model model = TwoOutputs.model()) {
      Trainer.of(model).batchSize(1).epochs(EPOCHS).lossWeights(1, 0.5).callback(meter).fit(data);
    }
    assertThat(meter.bytesAStep()).as("bytes a step").isLessThan(Meter.ENOUGH);
    assertThat(meter.bytesABatch()).as("bytes a batch").isLessThan(Meter.ENOUGH);
  }

  @Test
  void theMeterSeesWhatACallbackAllocates() {
    Meter meter = new Meter();
    long[][] kept = new long[1][];
    try (Model model = model(BuiltIn.Output.CLASSES)) {
      Trainer.of(model)
          .batchSize(1)
          .epochs(3)
          .callback(
              new Callback() {
                @Override
                public void onStepEnd(Training training, long step, float loss) {
                  kept[0] = new long[] {step};
                }
              })
          .callback(meter)
          .fit(data(true));
    }
    assertThat(meter.bytesAStep()).isGreaterThan(20);
  }
}
