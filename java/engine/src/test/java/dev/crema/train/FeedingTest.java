package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.data.Order;
import dev.crema.data.RowFunction;
import dev.crema.device.Device;
import dev.crema.device.Program;
import dev.crema.device.ProgramSpec;
import dev.crema.device.cuda.CudaCard;
import dev.crema.device.cuda.EmulatedCard;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Batches that are on their way to the card while the steps before them run. */
class FeedingTest {
  private static final int ROWS = 8;
  private static final int FEATURES = 6;

  /** The same device, but nothing is sent ahead: each run copies its own batch and waits. */
  private record Unfed(Device of) implements Device {
    @Override
    public String name() {
      return of.name();
    }

    @Override
    public String description() {
      return of.description();
    }

    @Override
    public int elementwise(String operation) {
      return of.elementwise(operation);
    }

    @Override
    public boolean hasOwnMemory() {
      return of.hasOwnMemory();
    }

    @Override
    public boolean has(String kernel, ElementType type) {
      return of.has(kernel, type);
    }

    @Override
    public Program load(ProgramSpec spec) {
      return of.load(spec);
    }
  }

  private static EmulatedCard emulated() {
    assumeTrue(EmulatedCard.missing() == null, EmulatedCard::missing);
    return new EmulatedCard();
  }

  private static Model model() {
    return Model.sequential(FEATURES)
        .dense(5, Activation.RELU)
        .dense(2, Activation.SOFTMAX)
        .build(1);
  }

  private static float[] numbers(int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] x = new float[count];
    for (int i = 0; i < count; i++) {
      x[i] = random.nextFloat() - 0.5f;
    }
    return x;
  }

  /** The last batch of an epoch has fewer examples. */
  private static Dataset data() {
    int examples = 6 * ROWS + 3;
    float[] x = numbers(examples * FEATURES, 2);
    int[] y = new int[examples];
    for (int i = 0; i < examples; i++) {
      y[i] = x[i * FEATURES] > 0 ? 1 : 0;
    }
    return Datasets.of(x, Shape.of(FEATURES), y, List.of("no", "yes"));
  }

  private static float[] parametersAfterFit(Device device, int accumulate) {
    try (Model model = model()) {
      Trainer.of(model)
          .device(device)
          .batchSize(ROWS)
          .epochs(3)
          .accumulate(accumulate)
          .validation(data())
          .fit(data());
      float[] values = new float[(int) (model.parameters().byteSize() / 4)];
      model.parameters().floats().get(0, values);
      return values;
    }
  }

  @Test
  void aFitHasTheSameBitsWhetherBatchesAreSentAheadOrNot() {
    for (int accumulate : new int[] {1, 2}) {
      try (EmulatedCard card = emulated()) {
        float[] fed = parametersAfterFit(card.device(), accumulate);
        assertThat(card.calls("cuStreamWaitEvent")).as("what was sent was taken").isPositive();
        assertThat(parametersAfterFit(new Unfed(card.device()), accumulate)).isEqualTo(fed);
      }
    }
  }

  @Test
  void soItHasOnCards() {
    List<CudaCard> cards = Device.cudaCards().usable();
    assumeTrue(!cards.isEmpty(), "There is no card here");
    for (CudaCard card : cards) {
      Device device = Device.cuda(card.ordinal());
      float[] fed = parametersAfterFit(device, 1);
      assertThat(parametersAfterFit(new Unfed(device), 1)).isEqualTo(fed);
    }
  }

  @Test
  void everyBatchOfAFitIsSentAheadAndNoRunCopiesOne() {
    try (EmulatedCard card = emulated();
        Model model = model()) {
      Trainer.of(model).device(card.device()).batchSize(ROWS).epochs(4).fit(data());
      int batches = 4 * 7;
      // Of each the examples and the classes.
      assertThat(card.calls("cuStreamWaitEvent")).isEqualTo(2 * batches);
      assertThat(card.calls("cuMemcpyHtoDAsync " + 4 * ROWS * FEATURES)).isEqualTo(4 * 6);
    }
  }

  @Test
  void dataThatFailsEndsTheFitWithItsOwnMessageAndEverythingIsGivenBack() {
    try (EmulatedCard card = emulated();
        Model model = model()) {
      Trainer trainer = Trainer.of(model).device(card.device()).batchSize(ROWS).epochs(2);
      assertThatThrownBy(() -> trainer.fit(failing(data(), 4)))
          .hasMessage("The file ends in batch 4");
      trainer.fit(data());
    } // the card checks that nothing was given back while it was copied
  }

  @Test
  void aFitThatStopsInTheMiddleWaitsForWhatIsUnderWay() {
    try (EmulatedCard card = emulated();
        Model model = model()) {
      Callback stop =
          new Callback() {
            @Override
            public void onStepEnd(Training training, long step, float loss) {
              throw new IllegalStateException("enough");
            }
          };
      Trainer trainer = Trainer.of(model).device(card.device()).batchSize(ROWS).callback(stop);
      assertThatThrownBy(() -> trainer.fit(data())).hasMessage("enough");
    }
  }

  /** Reads as the data does, then throws. */
  private static Dataset failing(Dataset data, int batch) {
    return new Dataset() {
      @Override
      public List<Slot> inputs() {
        return data.inputs();
      }

      @Override
      public Slot target() {
        return data.target();
      }

      @Override
      public long size() {
        return data.size();
      }

      @Override
      public List<String> classNames() {
        return data.classNames();
      }

      @Override
      public Split split(double fraction, long seed) {
        return data.split(fraction, seed);
      }

      @Override
      public Dataset take(long n) {
        return data.take(n);
      }

      @Override
      public Dataset map(String input, Shape shape, RowFunction function) {
        return data.map(input, shape, function);
      }

      @Override
      public Reader reader(Order order) {
        Reader reader = data.reader(order);
        int[] read = new int[1];
        return new Reader() {
          @Override
          public int read(List<ByteBuffer> buffers, int rows) {
            if (++read[0] == batch) {
              throw new IllegalStateException("The file ends in batch " + batch);
            }
            return reader.read(buffers, rows);
          }

          @Override
          public void close() {
            reader.close();
          }
        };
      }
    };
  }

  private static float[] examples(int step) {
    return numbers(ROWS * FEATURES, step);
  }

  private static int[] classes(int step) {
    float[] x = examples(step);
    int[] y = new int[ROWS];
    for (int i = 0; i < ROWS; i++) {
      y[i] = x[i * FEATURES] > 0 ? 1 : 0;
    }
    return y;
  }

  @Test
  void twoBatchesInTurnTrainAsOneDoes() {
    int steps = 7;
    try (EmulatedCard card = emulated();
        Model a = model();
        Model b = model();
        BatchTrainer one = trainer(a, card.device());
        BatchTrainer two = trainer(b, card.device())) {
      TrainingBatch now = two.newBatch();
      TrainingBatch next = two.newBatch();
      now.fill(examples(0), classes(0), ROWS).send(ROWS);
      List<Float> losses = new ArrayList<>();
      List<Float> expected = new ArrayList<>();
      for (int step = 0; step < steps; step++) {
        next.fill(examples(step + 1), classes(step + 1), ROWS).send(ROWS);
        losses.add(two.run(now, ROWS));
        TrainingBatch done = now;
        now = next;
        next = done;
        expected.add(one.step(examples(step), classes(step), ROWS));
      }
      assertThat(losses).isEqualTo(expected);
      assertThatThrownBy(() -> one.run(two.newBatch(), 1)).hasMessageContaining("newBatch()");
      assertThatThrownBy(() -> two.newBatch().send(ROWS + 1)).hasMessageContaining("1 to 8");
    }
  }

  @Test
  void aBatchOfAClosedTrainerIsRefused() {
    try (EmulatedCard card = emulated();
        Model model = model()) {
      BatchTrainer trainer = trainer(model, card.device());
      TrainingBatch kept = trainer.newBatch().fill(examples(0), classes(0), ROWS);
      kept.send(ROWS);
      trainer.close(); // while it is copied
      assertThatThrownBy(() -> kept.send(1)).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> kept.fill(examples(0), classes(0), 1))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed");
      assertThatThrownBy(() -> trainer.run(kept, 1)).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(trainer::newBatch).isInstanceOf(IllegalStateException.class);
    }
  }

  private static BatchTrainer trainer(Model model, Device device) {
    return Trainer.of(model)
        .device(device)
        .loss(Losses.sparseCategoricalCrossentropy())
        .batches(ROWS);
  }
}
