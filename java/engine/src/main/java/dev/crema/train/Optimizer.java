package dev.crema.train;

import dev.crema.op.Adagrad;
import dev.crema.op.Lamb;
import dev.crema.op.Lion;
import dev.crema.op.Momentum;
import dev.crema.op.Rmsprop;
import dev.crema.op.Sgd;
import dev.crema.op.UpdateOp;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * How parameters follow their gradients. The moments that an optimiser keeps lie in flat buffers,
 * one a moment, beside the parameters. Defaults are those of PyTorch.
 */
public sealed interface Optimizer {
  /** What {@link #of} knows. */
  List<String> NAMES =
      List.of("sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop", "adagrad", "lion", "lamb");

  /** The learning rate where no schedule says another. */
  double learningRate();

  /** Pulls parameters to zero; how, depends on the optimiser. */
  double weightDecay();

  /** The same with another learning rate. */
  Optimizer withLearningRate(double rate);

  /** The same with another weight decay. */
  Optimizer withWeightDecay(double decay);

  /** The op that updates a range of parameters; {@code segments} are the ends of its tensors. */
  UpdateOp op(double decay, List<Long> segments);

  /** Of the mean of gradients, for the bias correction; 0 where there is none. */
  default double beta1() {
    return 0;
  }

  /** Of the mean of squares, for the bias correction; 0 where there is none. */
  default double beta2() {
    return 0;
  }

  /** Plain stochastic gradient descent. With one batch of all examples: batch gradient descent. */
  static Optimizer sgd(double learningRate) {
    return new Descent(learningRate, 0, 0, false);
  }

  /** Gradient descent with momentum, by Nesterov's rule or the classical one. */
  static Optimizer sgd(double learningRate, double momentum, boolean nesterov) {
    return new Descent(learningRate, 0, momentum, nesterov);
  }

  static Optimizer adam(double learningRate) {
    return new Adaptive(learningRate, 0, 0.9, 0.999, 1e-8, Kind.ADAM);
  }

  static Optimizer adam(double learningRate, double beta1, double beta2, double epsilon) {
    return new Adaptive(learningRate, 0, beta1, beta2, epsilon, Kind.ADAM);
  }

  static Optimizer adamW(double learningRate, double weightDecay) {
    return new Adaptive(learningRate, weightDecay, 0.9, 0.999, 1e-8, Kind.ADAMW);
  }

  static Optimizer lamb(double learningRate, double weightDecay) {
    return new Adaptive(learningRate, weightDecay, 0.9, 0.999, 1e-6, Kind.LAMB);
  }

  static Optimizer lion(double learningRate, double weightDecay) {
    return new Adaptive(learningRate, weightDecay, 0.9, 0.99, 0, Kind.LION);
  }

  static Optimizer rmsprop(double learningRate) {
    return new Adaptive(learningRate, 0, 0, 0.99, 1e-8, Kind.RMSPROP);
  }

  static Optimizer adagrad(double learningRate) {
    return new Adaptive(learningRate, 0, 0, 0, 1e-10, Kind.ADAGRAD);
  }

  /**
   * By name, as the command line has it.
   *
   * @param learningRate NaN: the optimiser's usual one
   */
  static Optimizer of(String name, double learningRate) {
    Optimizer usual =
        switch (Objects.requireNonNull(name, "name").toLowerCase(Locale.ROOT)) {
          case "sgd" -> sgd(0.01);
          case "momentum" -> sgd(0.01, 0.9, false);
          case "nesterov" -> sgd(0.01, 0.9, true);
          case "adam" -> adam(0.001);
          case "adamw" -> adamW(0.001, 0.01);
          case "rmsprop" -> rmsprop(0.001);
          case "adagrad" -> adagrad(0.01);
          case "lion" -> lion(0.0001, 0.0);
          case "lamb" -> lamb(0.001, 0.01);
          default ->
              throw new IllegalArgumentException(
                  "There is no optimiser '" + name + "'; there are " + NAMES);
        };
    return Double.isNaN(learningRate) ? usual : usual.withLearningRate(learningRate);
  }

  /** Gradient descent, with or without momentum. */
  record Descent(double learningRate, double weightDecay, double momentum, boolean nesterov)
      implements Optimizer {
    public Descent {
      Checks.rate(learningRate, weightDecay);
      Checks.fraction("momentum", momentum);
    }

    @Override
    public Optimizer withLearningRate(double rate) {
      return new Descent(rate, weightDecay, momentum, nesterov);
    }

    @Override
    public Optimizer withWeightDecay(double decay) {
      return new Descent(learningRate, decay, momentum, nesterov);
    }

    @Override
    public UpdateOp op(double decay, List<Long> segments) {
      return momentum == 0 ? new Sgd(decay) : new Momentum(decay, momentum, nesterov);
    }
  }

  /** Which optimiser an {@link Adaptive} is. */
  enum Kind {
    ADAM,
    ADAMW,
    LAMB,
    LION,
    RMSPROP,
    ADAGRAD
  }

  /** Optimisers that scale each step by the history of its gradient. */
  record Adaptive(
      double learningRate,
      double weightDecay,
      double beta1,
      double beta2,
      double epsilon,
      Kind kind)
      implements Optimizer {
    public Adaptive {
      Checks.rate(learningRate, weightDecay);
      Checks.fraction("beta1", beta1);
      Checks.fraction("beta2", beta2);
      Checks.epsilon(epsilon);
    }

    @Override
    public Optimizer withLearningRate(double rate) {
      return new Adaptive(rate, weightDecay, beta1, beta2, epsilon, kind);
    }

    @Override
    public Optimizer withWeightDecay(double decay) {
      return new Adaptive(learningRate, decay, beta1, beta2, epsilon, kind);
    }

    @Override
    public UpdateOp op(double decay, List<Long> segments) {
      return switch (kind) {
        case ADAM -> new dev.crema.op.Adam(decay, beta1, beta2, epsilon, false);
        case ADAMW -> new dev.crema.op.Adam(decay, beta1, beta2, epsilon, true);
        case LAMB -> new Lamb(decay, beta1, beta2, epsilon, segments);
        case LION -> new Lion(decay, beta1, beta2);
        case RMSPROP -> new Rmsprop(decay, beta2, epsilon);
        case ADAGRAD -> new Adagrad(decay, epsilon);
      };
    }
  }

  /** What every optimiser asks of its settings. */
  final class Checks {
    private Checks() {}

    static void rate(double learningRate, double weightDecay) {
      if (!(learningRate > 0) || !Double.isFinite(learningRate)) {
        throw new IllegalArgumentException(
            "The learning rate must be positive, got " + learningRate);
      }
      weightDecay(weightDecay);
    }

    static void weightDecay(double value) {
      if (!(value >= 0) || Double.isInfinite(value)) {
        throw new IllegalArgumentException(
            "The weight decay must be a finite number of at least 0, got " + value);
      }
    }

    static void epsilon(double value) {
      if (!(value >= 0) || Double.isInfinite(value)) {
        throw new IllegalArgumentException(
            "epsilon must be a finite number of at least 0, got " + value);
      }
    }

    static void fraction(String name, double value) {
      if (!(value >= 0 && value < 1)) {
        throw new IllegalArgumentException(name + " must lie in [0, 1), got " + value);
      }
    }
  }
}
