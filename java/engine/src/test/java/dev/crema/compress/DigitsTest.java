package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.data.Dataset;
import dev.crema.data.Mnist;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.Model;
import dev.crema.train.Evaluator;
import dev.crema.train.Trainer;
import org.junit.jupiter.api.Test;

/** What pruning and distillation are worth on the shipped digits. */
class DigitsTest {
  private static final int SEEDS = 5;

  private static Model model(String name, long seed, long... shape) {
    return Model.of(BuiltIn.topology(name, shape, BuiltIn.Output.CLASSES, 10), seed);
  }

  private static double accuracy(Model model, Dataset test) {
    try (Evaluator evaluator = Evaluator.of(model, test)) {
      return evaluator.evaluate(test).classification().accuracy();
    }
  }

  @Test
  void ninetyPercentByPolynomialDecayCostLessThanHalfAPoint() {
    Mnist digits = Mnist.sample();
    try (Model model = model("mlp:128,64", 1, 28, 28, 1)) {
      Trainer.of(model).epochs(10).fit(digits.train());
      double dense = accuracy(model, digits.test());
      Trainer.of(model)
          .epochs(10)
          .callback(Pruner.magnitude().during(SparsitySchedule.polynomial(0.5, 0.9, 0, 1600)))
          .fit(digits.train());
      Sparsity sparsity = Sparsity.of(model);
      for (Sparsity.Row row : sparsity.parameters()) {
        if (row.path().endsWith("/kernel")) {
          assertThat(row.sparsity()).as(row.path()).isBetween(0.899, 0.901);
        }
      }
      assertThat(accuracy(model, digits.test())).isGreaterThan(dense - 0.005);
    }
  }

  /**
   * A quarter of the teacher's parameters, 1,000 digits of 10 × 10: the student alone learns them
   * by heart (88.8 %), the teacher, which saw 8,000, tells it more of each (91.8 %).
   */
  @Test
  void aStudentOfAQuarterOfTheParametersLearnsMoreThanAlone() {
    Mnist digits = Mnist.sample10x10();
    try (Model teacher = model("seed-mlp", 1, 100)) {
      Trainer.of(teacher).epochs(10).fit(digits.train());
      Dataset few = digits.train().take(1000);
      double alone = 0;
      double taught = 0;
      for (int seed = 0; seed < SEEDS; seed++) {
        for (boolean withTeacher : new boolean[] {false, true}) {
          try (Model student = model("mlp:24", seed, 100)) {
            assertThat(student.table().trainedElements() * 4)
                .isLessThan(teacher.table().trainedElements());
            Trainer trainer = Trainer.of(student).epochs(150).seed(seed);
            if (withTeacher) {
              trainer.term(Distillation.from(teacher).temperature(4).alpha(0.1));
            }
            trainer.fit(few);
            double accuracy = accuracy(student, digits.test()) / SEEDS;
            alone += withTeacher ? 0 : accuracy;
            taught += withTeacher ? accuracy : 0;
          }
        }
      }
      assertThat(taught).as("alone %s", alone).isGreaterThan(alone + 0.01);
    }
  }
}
