package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.nn.Activation;
import dev.crema.nn.BatchNorm;
import dev.crema.nn.Conv2d;
import dev.crema.nn.Dense;
import dev.crema.nn.Dropout;
import dev.crema.nn.Flatten;
import dev.crema.nn.Model;
import dev.crema.nn.Parameter;
import dev.crema.nn.Symbol;
import dev.crema.train.BatchTrainer;
import dev.crema.train.Loss;
import dev.crema.train.Losses;
import dev.crema.train.Optimizer;
import dev.crema.train.Trainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DistillationTest {
  private static final int ROWS = 7;
  private static final int IN = 5;
  private static final int OUT = 3;
  private static final float[] X = gaussian(ROWS * IN, 1);
  private static final int[] CLASSES = {0, 1, 2, 1, 0, 2, 2};

  @TempDir private Path folder;

  private static float[] gaussian(int count, int seed) {
    Random random = new Random(seed);
    float[] x = new float[count];
    for (int i = 0; i < count; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  private static Model mlp(int hidden, Activation last, int seed) {
    return Model.sequential(IN).dense(hidden, Activation.TANH).dense(OUT, last).build(seed);
  }

  /** A two-layer network in float64, over parameters that it reads anew each time. */
  private record Net64(Map<String, double[]> p) {
    static Net64 of(Model model) {
      Map<String, double[]> all = new LinkedHashMap<>();
      for (Parameter q : model.table().all()) {
        float[] w = model.get(q.path());
        double[] d = new double[w.length];
        for (int i = 0; i < w.length; i++) {
          d[i] = w[i];
        }
        all.put(q.path(), d);
      }
      return new Net64(all);
    }

    double[][] hidden() {
      double[][] x = new double[ROWS][IN];
      for (int i = 0; i < ROWS * IN; i++) {
        x[i / IN][i % IN] = X[i];
      }
      double[][] h = dense(x, p.get("dense_1/kernel"), p.get("dense_1/bias"));
      for (double[] row : h) {
        for (int j = 0; j < row.length; j++) {
          row[j] = Math.tanh(row[j]);
        }
      }
      return h;
    }

    double[][] logits() {
      return dense(hidden(), p.get("dense_2/kernel"), p.get("dense_2/bias"));
    }

    private static double[][] dense(double[][] x, double[] kernel, double[] bias) {
      double[][] y = new double[x.length][bias.length];
      for (int r = 0; r < x.length; r++) {
        for (int j = 0; j < bias.length; j++) {
          y[r][j] = bias[j];
          for (int i = 0; i < x[r].length; i++) {
            y[r][j] += x[r][i] * kernel[i * bias.length + j];
          }
        }
      }
      return y;
    }
  }

  private static double[] softmax(double[] z, double t) {
    double[] p = new double[z.length];
    double sum = 0;
    for (int j = 0; j < z.length; j++) {
      p[j] = Math.exp(z[j] / t);
      sum += p[j];
    }
    for (int j = 0; j < z.length; j++) {
      p[j] /= sum;
    }
    return p;
  }

  private static double sigmoid(double z) {
    return 1 / (1 + Math.exp(-z));
  }

  private static double kl(double p, double q) {
    return p * Math.log(p / q);
  }

  /** The mean over the teachers of what each has. */
  private static double[] mean(List<double[]> all) {
    double[] m = new double[all.get(0).length];
    for (double[] a : all) {
      for (int j = 0; j < m.length; j++) {
        m[j] += a[j] / all.size();
      }
    }
    return m;
  }

  /** Compares a step's loss and the gradient that moved each parameter with float64. */
  private static void check(
      Model student,
      Loss loss,
      Distillation term,
      double t,
      Object targets,
      Supplier<Double> loss64,
      Net64 net) {
    Map<String, float[]> before = new LinkedHashMap<>();
    student.table().all().forEach(p -> before.put(p.path(), student.get(p.path())));
    double expected = loss64.get();
    try (BatchTrainer trainer =
        Trainer.of(student).loss(loss).optimizer(Optimizer.sgd(1)).term(term).batches(ROWS)) {
      float got =
          targets instanceof int[] classes
              ? trainer.step(X, classes, ROWS)
              : trainer.step(X, (float[]) targets, ROWS);
      // Some ten roundings of numbers of this size; the divergence is a difference of logarithms,
      // times T².
      double tolerance = 2e-6 * Math.max(1, expected) + 1e-7 * t * t;
      assertThat((double) got).isCloseTo(expected, within(tolerance));
    }
    double h = 1e-5;
    for (Map.Entry<String, double[]> parameter : net.p().entrySet()) {
      double[] w = parameter.getValue();
      float[] after = student.get(parameter.getKey());
      for (int i = 0; i < w.length; i++) {
        double at = w[i];
        w[i] = at + h;
        double above = loss64.get();
        w[i] = at - h;
        double gradient = (above - loss64.get()) / (2 * h);
        w[i] = at;
        double moved = (double) before.get(parameter.getKey())[i] - after[i];
        assertThat(moved)
            .as("%s[%s]", parameter.getKey(), i)
            .isCloseTo(gradient, within(3e-6 * Math.max(1, Math.abs(gradient))));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "4, 0.1, 1, 0",
    "1, 0, 1, 0",
    "2.5, 0.5, 2, 0",
    "20, 0.1, 3, 0",
    "4, 1, 1, 0.7",
    "3, 0.3, 2, 2"
  })
  void lossAndGradientOfClassesMatchFloat64(double t, double alpha, int count, double hint) {
    List<Model> teachers = new ArrayList<>();
    try (Model student = mlp(4, Activation.SOFTMAX, 1)) {
      for (int i = 0; i < count; i++) {
        teachers.add(mlp(4, i == 1 ? Activation.LOG_SOFTMAX : Activation.SOFTMAX, 10 + i));
      }
      Net64 net = Net64.of(student);
      List<Net64> taught = teachers.stream().map(Net64::of).toList();
      Distillation term =
          Distillation.from(teachers.toArray(new Model[0])).temperature(t).alpha(alpha);
      Supplier<Double> loss64 =
          () -> {
            double[][] z = net.logits();
            double[][] hidden = net.hidden();
            double sum = 0;
            for (int r = 0; r < ROWS; r++) {
              int row = r;
              sum += alpha * -Math.log(softmax(z[r], 1)[CLASSES[r]]);
              double[] p = mean(taught.stream().map(n -> softmax(n.logits()[row], t)).toList());
              double[] q = softmax(z[r], t);
              for (int j = 0; j < OUT; j++) {
                sum += (1 - alpha) * t * t * kl(p[j], q[j]);
              }
              double[] h = mean(taught.stream().map(n -> n.hidden()[row]).toList());
              for (int j = 0; j < h.length; j++) {
                sum += hint * Math.pow(hidden[r][j] - h[j], 2) / h.length;
              }
            }
            return sum / ROWS;
          };
      Loss hard = Losses.sparseCategoricalCrossentropy();
      check(
          student,
          hard,
          hint == 0 ? term : term.hint("dense_1", "dense_1", hint),
          t,
          CLASSES,
          loss64,
          net);
    } finally {
      teachers.forEach(Model::close);
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {1, 3})
  void lossAndGradientOfLabelsMatchFloat64(double t) {
    float[] targets = new float[ROWS * OUT];
    for (int i = 0; i < targets.length; i++) {
      targets[i] = i % 3 == 0 ? 1 : 0;
    }
    try (Model student = mlp(3, Activation.SIGMOID, 1);
        Model teacher = mlp(8, Activation.SIGMOID, 2)) {
      Net64 net = Net64.of(student);
      double[][] taught = Net64.of(teacher).logits();
      Supplier<Double> loss64 =
          () -> {
            double[][] z = net.logits();
            double sum = 0;
            for (int i = 0; i < targets.length; i++) {
              double own = z[i / OUT][i % OUT];
              sum -= 0.2 * Math.log(targets[i] == 1 ? sigmoid(own) : sigmoid(-own));
              double p = sigmoid(taught[i / OUT][i % OUT] / t);
              double q = sigmoid(own / t);
              sum += 0.8 * t * t * (kl(p, q) + kl(1 - p, 1 - q));
            }
            return sum / targets.length;
          };
      Distillation term = Distillation.from(teacher).temperature(t).alpha(0.2);
      check(student, Losses.binaryCrossentropy(), term, t, targets, loss64, net);
    }
  }

  @Test
  void lossAndGradientOfNumbersMatchFloat64() {
    float[] targets = gaussian(ROWS * OUT, 9);
    try (Model student = mlp(3, Activation.LINEAR, 1);
        Model teacher = mlp(8, Activation.LINEAR, 2)) {
      Net64 net = Net64.of(student);
      double[][] taught = Net64.of(teacher).logits();
      Supplier<Double> loss64 =
          () -> {
            double[][] z = net.logits();
            double sum = 0;
            for (int i = 0; i < targets.length; i++) {
              double own = z[i / OUT][i % OUT];
              sum += 0.4 * Math.pow(own - targets[i], 2);
              sum += 0.6 * Math.pow(own - taught[i / OUT][i % OUT], 2);
            }
            return sum / targets.length;
          };
      Distillation term = Distillation.from(teacher).alpha(0.4);
      check(student, Losses.meanSquaredError(), term, 1, targets, loss64, net);
    }
  }

  @Test
  void attentionIsComparedWhereMapsDifferInTheirChannels() {
    try (Model student = images(2, 1);
        Model teacher = images(6, 2)) {
      double[][] own = attention(student, 2);
      double[][] theirs = attention(teacher, 6);
      double expected = 0;
      for (int r = 0; r < ROWS; r++) {
        for (int i = 0; i < 6; i++) {
          expected += Math.pow(own[r][i] - theirs[r][i], 2) / (6 * ROWS);
        }
      }
      Distillation term = Distillation.from(teacher).alpha(0).temperature(1);
      double without = step(student.copy(), term);
      double with = step(student.copy(), term.hint("conv2d_1", "conv2d_1", 5));
      assertThat(with - without).isCloseTo(5 * expected, within(2e-6));
    }
  }

  private static Model images(int channels, int seed) {
    return Model.sequential(2, 3, 1)
        .add(Conv2d.of(channels, 1, Activation.TANH))
        .add(new Flatten())
        .dense(OUT, Activation.SOFTMAX)
        .build(seed);
  }

  private static double step(Model student, Distillation term) {
    try (student;
        BatchTrainer trainer =
            Trainer.of(student)
                .loss(Losses.sparseCategoricalCrossentropy())
                .term(term)
                .batches(ROWS)) {
      return trainer.step(gaussian(ROWS * 6, 3), CLASSES, ROWS);
    }
  }

  private static double[][] attention(Model model, int channels) {
    float[] x = gaussian(ROWS * 6, 3);
    float[] kernel = model.get("conv2d_1/kernel");
    float[] bias = model.get("conv2d_1/bias");
    double[][] maps = new double[ROWS][6];
    for (int r = 0; r < ROWS; r++) {
      double norm = 0;
      for (int i = 0; i < 6; i++) {
        for (int c = 0; c < channels; c++) {
          maps[r][i] += Math.pow(Math.tanh(x[r * 6 + i] * kernel[c] + bias[c]), 2) / channels;
        }
        norm += maps[r][i] * maps[r][i];
      }
      for (int i = 0; i < 6; i++) {
        maps[r][i] /= Math.sqrt(norm);
      }
    }
    return maps;
  }

  @Test
  void theTeacherAnswersAsItPredictsAndIsUnchangedToTheBit() {
    try (Model student = mlp(4, Activation.SOFTMAX, 1);
        Model teacher =
            Model.sequential(IN)
                .dense(16, Activation.RELU)
                .add(new BatchNorm())
                .add(new Dropout(0.5))
                .dense(OUT, Activation.SOFTMAX)
                .build(3)) {
      teacher.set("batch_norm_1/running_mean", gaussian(16, 5));
      double expected = 0;
      for (int r = 0; r < ROWS; r++) {
        float[] x = java.util.Arrays.copyOfRange(X, r * IN, (r + 1) * IN);
        float[] p = teacher.predict(x);
        float[] q = student.predict(x);
        for (int j = 0; j < OUT; j++) {
          expected += kl(p[j], q[j]) / ROWS;
        }
      }
      Map<String, float[]> before = new LinkedHashMap<>();
      teacher.table().all().forEach(p -> before.put(p.path(), teacher.get(p.path())));
      Distillation term = Distillation.from(teacher).alpha(0).temperature(1);
      try (BatchTrainer trainer =
          Trainer.of(student)
              .loss(Losses.sparseCategoricalCrossentropy())
              .optimizer(Optimizer.adamW(0.01, 0.1))
              .term(term)
              .batches(ROWS)) {
        assertThat((double) trainer.step(X, CLASSES, ROWS)).isCloseTo(expected, within(2e-6));
        float last = 0;
        for (int i = 0; i < 300; i++) {
          last = trainer.step(X, CLASSES, ROWS);
        }
        assertThat((double) last).as("the student learns").isLessThan(expected / 4);
      }
      before.forEach((path, w) -> assertThat(teacher.get(path)).as(path).isEqualTo(w));
    }
  }

  @Test
  void aStudentThatIsItsTeacherIsAtNoDistance() {
    try (Model teacher = mlp(4, Activation.SOFTMAX, 1);
        Model student = teacher.copy()) {
      Distillation term =
          Distillation.from(teacher, teacher).alpha(0).hint("dense_1", "dense_1", 1);
      try (BatchTrainer trainer =
          Trainer.of(student)
              .loss(Losses.sparseCategoricalCrossentropy())
              .term(term)
              .batches(ROWS)) {
        assertThat((double) trainer.step(X, CLASSES, ROWS)).isCloseTo(0, within(1e-6));
      }
    }
  }

  /** Two outputs of one shape, given in another order. */
  private static Model twoHeads(boolean turned) {
    Symbol x = Symbol.input("x", IN);
    Symbol h = Dense.of(4, Activation.RELU).named("hidden", x);
    Symbol price = Dense.of(2).named("price", h);
    Symbol cost = Dense.of(2).named("cost", h);
    return Model.of(List.of(x), turned ? List.of(cost, price) : List.of(price, cost), 1);
  }

  @Test
  void severalOutputsAreTaughtByTheirNames() {
    try (Model teacher = twoHeads(false);
        Model student = twoHeads(true)) {
      for (Parameter p : teacher.table().all()) {
        student.set(p.path(), teacher.get(p.path()));
      }
      float[] any = new float[ROWS * 2];
      Trainer trainer =
          Trainer.of(student)
              .loss("price", Losses.meanSquaredError())
              .loss("cost", Losses.meanSquaredError())
              .term(Distillation.from(teacher).alpha(0));
      Dataset data =
          Datasets.arrays()
              .input("x", X, IN)
              .target("price", any, 2)
              .target("cost", any, 2)
              .build();
      assertThat(trainer.epochs(1).fit(data).series("loss")[0]).isCloseTo(0, within(1e-9));
    }
  }

  private float[] train(String name, int epochs, boolean resume, Distillation term) {
    float[][] x = new float[40][];
    int[] y = new int[40];
    for (int i = 0; i < 40; i++) {
      x[i] = gaussian(IN, 100 + i);
      y[i] = x[i][0] > 0 ? 1 : x[i][1] > 0 ? 2 : 0;
    }
    try (Model student = mlp(6, Activation.SOFTMAX, 1)) {
      Trainer.of(student)
          .batchSize(8)
          .epochs(epochs)
          .term(term)
          .checkpoint(folder.resolve(name))
          .resume(resume)
          .fit(Datasets.of(x, y));
      return student.get("dense_1/kernel");
    }
  }

  @Test
  void aResumedDistillationEqualsOneThatNeverStoppedAndOtherSettingsAreRefused() {
    try (Model teacher = mlp(16, Activation.SOFTMAX, 2)) {
      Distillation term = Distillation.from(teacher);
      float[] whole = train("whole", 4, false, term);
      train("parts", 2, false, term);
      assertThat(train("parts", 4, true, term)).isEqualTo(whole);
      assertThatThrownBy(() -> train("parts", 5, true, term.temperature(2)))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("temperature 4.0")
          .hasMessageContaining("temperature 2.0");
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    assertThatThrownBy(Distillation::from).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Distillation.from((Model) null)).hasMessage("teacher");
    try (Model student = mlp(4, Activation.SOFTMAX, 1);
        Model teacher = mlp(8, Activation.SOFTMAX, 2);
        Model wide = Model.sequential(IN + 1).dense(OUT, Activation.SOFTMAX).build(1);
        Model many = Model.sequential(IN).dense(OUT + 1, Activation.SOFTMAX).build(1)) {
      Distillation good = Distillation.from(teacher);
      for (double t : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
        assertThatThrownBy(() -> good.temperature(t))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessage("The temperature must be above 0, got " + t);
      }
      for (double alpha : new double[] {-0.1, 1.1, Double.NaN}) {
        assertThatThrownBy(() -> good.alpha(alpha)).isInstanceOf(IllegalArgumentException.class);
      }
      assertThatThrownBy(() -> good.hint("a", "b", 0)).isInstanceOf(IllegalArgumentException.class);
      refused(student, Distillation.from(teacher, wide), "Teacher 2 takes 'x' of [n, 6]");
      refused(student, Distillation.from(many), "The teacher gives [[n, 4]], the student [[n, 3]]");
      refused(student, good.hint("dense_1", "dense_1", 1), "'dense_1' [n, 4]");
      refused(student, good.hint("dense_9", "dense_1", 1), "student has no layer 'dense_9'");
      refused(student, good.hint("dense_1", "dense_9", 1), "teacher has no layer 'dense_9'");
    }
  }

  private static void refused(Model student, Distillation term, String message) {
    Trainer trainer = Trainer.of(student).loss(Losses.sparseCategoricalCrossentropy()).term(term);
    assertThatThrownBy(() -> trainer.batches(4))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining(message);
  }
}
