package dev.crema.nn;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.annotation.JsonDeserialize;
import com.fasterxml.jackson.databind.annotation.JsonSerialize;
import dev.crema.graph.ShapeException;
import dev.crema.memory.Shape;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * How a parameter starts. Weights are laid out [..., fan-in, fan-out]. In JSON the constants below
 * are their names ({@code "he_normal"}), others objects with a {@code "type"}.
 */
@JsonDeserialize(using = InitializerFormat.Reader.class)
@JsonSerialize(using = InitializerFormat.Writer.class)
public sealed interface Initializer {
  Initializer ZEROS = new Constant(0);
  Initializer ONES = new Constant(1);

  /** U(±√(6 / (fan-in + fan-out))) (Glorot and Bengio 2010). */
  Initializer GLOROT_UNIFORM = new VarianceScaling(1, Fan.AVERAGE, true);

  Initializer GLOROT_NORMAL = new VarianceScaling(1, Fan.AVERAGE, false);

  /** U(±√(6 / fan-in)) (He et al. 2015), for ReLU networks. */
  Initializer HE_UNIFORM = new VarianceScaling(2, Fan.IN, true);

  Initializer HE_NORMAL = new VarianceScaling(2, Fan.IN, false);

  /** U(±√(3 / fan-in)) (LeCun et al. 1998), for SELU networks. */
  Initializer LECUN_UNIFORM = new VarianceScaling(1, Fan.IN, true);

  Initializer LECUN_NORMAL = new VarianceScaling(1, Fan.IN, false);

  /** U(±√(1 / fan-in)): how PyTorch starts its linear, convolution and recurrent layers. */
  Initializer TORCH_UNIFORM = new VarianceScaling(1.0 / 3, Fan.IN, true);

  Initializer ORTHOGONAL = new Orthogonal(1);

  /** For an LSTM's bias: ones for the forget gate, else zeros (Jozefowicz et al. 2015). */
  Initializer FORGET_GATE_ONES = new ForgetGate(1);

  /** What a variance is divided by. */
  enum Fan {
    @JsonProperty("in")
    IN,
    @JsonProperty("out")
    OUT,
    @JsonProperty("average")
    AVERAGE
  }

  /** Fills a parameter of that shape, row-major. The same random numbers give the same values. */
  void fill(float[] values, Shape shape, SplittableRandom random);

  /** The same value everywhere. */
  @JsonDeserialize(using = JsonDeserializer.None.class)
  record Constant(double value) implements Initializer {
    public Constant {
      requireFinite("value", value);
    }

    @Override
    public void fill(float[] values, Shape shape, SplittableRandom random) {
      Arrays.fill(values, (float) value);
    }
  }

  /** For a bias [4 · units] in the order i, f, g, o: that value for the gate f, else zero. */
  @JsonDeserialize(using = JsonDeserializer.None.class)
  record ForgetGate(double value) implements Initializer {
    public ForgetGate {
      requireFinite("value", value);
    }

    @Override
    public void fill(float[] values, Shape shape, SplittableRandom random) {
      int units = values.length / 4;
      Arrays.fill(values, 0);
      Arrays.fill(values, units, 2 * units, (float) value);
    }
  }

  /** Normal with that mean and standard deviation. */
  @JsonDeserialize(using = JsonDeserializer.None.class)
  record Normal(double mean, double deviation) implements Initializer {
    public Normal {
      requireFinite("mean", mean);
      requireFinite("deviation", deviation);
    }

    @Override
    public void fill(float[] values, Shape shape, SplittableRandom random) {
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) (mean + deviation * random.nextGaussian());
      }
    }
  }

  /** Uniform in [low, high). */
  @JsonDeserialize(using = JsonDeserializer.None.class)
  record Uniform(double low, double high) implements Initializer {
    public Uniform {
      requireFinite("low", low);
      requireFinite("high", high);
    }

    @Override
    public void fill(float[] values, Shape shape, SplittableRandom random) {
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) (low + (high - low) * random.nextDouble());
      }
    }
  }

  /** Mean 0 and variance {@code scale / fan}; uniform, or normal cut at two standard deviations. */
  @JsonDeserialize(using = JsonDeserializer.None.class)
  record VarianceScaling(double scale, Fan fan, boolean uniform) implements Initializer {
    public VarianceScaling {
      if (!(scale > 0 && scale < Double.POSITIVE_INFINITY)) {
        throw new ShapeException("scale must be positive, got " + scale);
      }
      fan = fan == null ? Fan.AVERAGE : fan;
    }

    /** Standard deviation of a unit normal cut at ±2. */
    private static final double CUT_DEVIATION = 0.87962566103423978;

    @Override
    public void fill(float[] values, Shape shape, SplittableRandom random) {
      double[] fans = fans(shape);
      double n =
          switch (fan) {
            case IN -> fans[0];
            case OUT -> fans[1];
            case AVERAGE -> (fans[0] + fans[1]) / 2;
          };
      double variance = scale / Math.max(1, n);
      if (uniform) {
        double limit = Math.sqrt(3 * variance);
        new Uniform(-limit, limit).fill(values, shape, random);
        return;
      }
      double deviation = Math.sqrt(variance) / CUT_DEVIATION;
      for (int i = 0; i < values.length; i++) {
        double z = random.nextGaussian();
        while (Math.abs(z) > 2) {
          z = random.nextGaussian();
        }
        values[i] = (float) (deviation * z);
      }
    }
  }

  /**
   * Orthonormal rows or columns, whichever are fewer, times {@code gain} (Saxe et al. 2014): the Q
   * of a Gaussian matrix by Gram-Schmidt, done twice for accuracy.
   */
  @JsonDeserialize(using = JsonDeserializer.None.class)
  record Orthogonal(double gain) implements Initializer {
    public Orthogonal {
      requireFinite("gain", gain);
    }

    @Override
    public void fill(float[] values, Shape shape, SplittableRandom random) {
      int columns = shape.rank() == 0 ? 1 : (int) shape.dim(-1);
      int rows = columns == 0 ? 0 : values.length / columns;
      int vectors = Math.min(rows, columns);
      int length = Math.max(rows, columns);
      double[][] q = new double[vectors][length];
      for (int v = 0; v < vectors; v++) {
        for (int i = 0; i < length; i++) {
          q[v][i] = random.nextGaussian();
        }
        for (int pass = 0; pass < 2; pass++) {
          for (int u = 0; u < v; u++) {
            double along = dot(q[u], q[v]);
            for (int i = 0; i < length; i++) {
              q[v][i] -= along * q[u][i];
            }
          }
          double norm = Math.sqrt(dot(q[v], q[v]));
          for (int i = 0; i < length; i++) {
            q[v][i] /= norm;
          }
        }
      }
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < columns; c++) {
          values[r * columns + c] = (float) (gain * (rows <= columns ? q[r][c] : q[c][r]));
        }
      }
    }

    private static double dot(double[] a, double[] b) {
      double sum = 0;
      for (int i = 0; i < a.length; i++) {
        sum += a[i] * b[i];
      }
      return sum;
    }
  }

  /**
   * For a convolution in groups, whose channels have only one group's outputs as their fan-out. Not
   * written to files: the layer's groups say it.
   */
  record Grouped(VarianceScaling initializer, int groups) implements Initializer {
    @Override
    public void fill(float[] values, Shape shape, SplittableRandom random) {
      long[] dims = shape.dims();
      dims[dims.length - 1] /= groups;
      initializer.fill(values, Shape.of(dims), random);
    }
  }

  private static void requireFinite(String setting, double value) {
    if (!Double.isFinite(value)) {
      throw new ShapeException(setting + " must be a finite number, got " + value);
    }
  }

  /** Fan-in and fan-out of a weight [receptive field..., in, out]. */
  private static double[] fans(Shape shape) {
    int rank = shape.rank();
    if (rank == 0) {
      return new double[] {1, 1};
    }
    if (rank == 1) {
      return new double[] {shape.dim(0), shape.dim(0)};
    }
    double field = 1;
    for (int i = 0; i < rank - 2; i++) {
      field *= shape.dim(i);
    }
    return new double[] {field * shape.dim(-2), field * shape.dim(-1)};
  }
}
