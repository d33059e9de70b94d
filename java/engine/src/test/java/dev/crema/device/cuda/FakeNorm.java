package dev.crema.device.cuda;

import dev.crema.device.cuda.FakeGraphNumbers.Norm;
import dev.crema.device.cuda.FakeGraphNumbers.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Layer and batch norm and their gradients as cuDNN's documentation defines them, in double. */
final class FakeNorm {
  /** Reads a number. */
  interface Get {
    double at(Tensor t, int offset);
  }

  /** Writes one. */
  interface Put {
    void at(Tensor t, int offset, double value);
  }

  private final Norm norm;
  private final Get get;
  private final Put put;
  private final Tensor x;
  private final Tensor mean;
  private final double count; // that share a mean

  FakeNorm(Norm norm, Get get, Put put) {
    this.norm = norm;
    this.get = get;
    this.put = put;
    this.x = norm.inputs().get(0);
    this.mean = norm.gradient() ? norm.inputs().get(2) : norm.outputs().get(1);
    this.count = (double) elements(x) / elements(mean);
  }

  private static long elements(Tensor t) {
    return Arrays.stream(t.dims()).reduce(1, (a, b) -> a * b);
  }

  /** Whether scale and shift, and statistics, have the extents that they have to. */
  static boolean fits(Norm norm) {
    Tensor x = norm.inputs().get(0);
    long[] of = x.dims();
    long[] statistics = norm.ofChannels() ? channels(of) : new long[] {of[0], 1, 1, 1};
    long[] scale = norm.ofChannels() ? channels(of) : new long[] {1, of[1], of[2], of[3]};
    List<Tensor> in = norm.inputs();
    List<Tensor> out = norm.outputs();
    return norm.gradient()
        ? all(of, x, in.get(4), out.get(0))
            && all(statistics, in.get(2), in.get(3))
            && all(scale, in.get(1), out.get(1), out.get(2))
        : all(of, x, out.get(0))
            && all(statistics, out.get(1), out.get(2))
            && all(scale, in.get(1), in.get(2));
  }

  private static long[] channels(long[] of) {
    return new long[] {1, of[1], 1, 1};
  }

  private static boolean all(long[] dims, Tensor... tensors) {
    return Stream.of(tensors).allMatch(t -> Arrays.equals(t.dims(), dims));
  }

  void compute() {
    if (norm.gradient()) {
      gradient();
    } else {
      forward();
    }
  }

  private void forward() {
    double[] means = new double[mean.room()];
    double[] squares = new double[mean.room()];
    each(at -> means[mean.offset(at)] += of(x, at) / count);
    each(at -> squares[mean.offset(at)] += Math.pow(of(x, at) - means[mean.offset(at)], 2) / count);
    double epsilon = get.at(norm.inputs().get(3), 0);
    each(
        at -> {
          int i = mean.offset(at);
          double inverse = 1 / Math.sqrt(squares[i] + epsilon);
          double y = (of(x, at) - means[i]) * inverse * of(norm.inputs().get(1), at);
          write(0, at, y + of(norm.inputs().get(2), at));
          write(1, at, means[i]);
          write(2, at, inverse);
        });
  }

  private void gradient() {
    List<Tensor> in = norm.inputs();
    Tensor scale = in.get(1);
    double[] sums = new double[mean.room()];
    double[] products = new double[mean.room()];
    double[] dgamma = new double[scale.room()];
    double[] dbeta = new double[scale.room()];
    each(
        at -> {
          double dy = of(in.get(4), at);
          sums[mean.offset(at)] += dy * of(scale, at) / count;
          products[mean.offset(at)] += dy * of(scale, at) * hat(at) / count;
          dgamma[scale.offset(at)] += dy * hat(at);
          dbeta[scale.offset(at)] += dy;
        });
    each(
        at -> {
          double flow = of(in.get(4), at) * of(scale, at);
          int i = mean.offset(at);
          write(0, at, (flow - sums[i] - hat(at) * products[i]) * of(in.get(3), at));
          write(1, at, dgamma[scale.offset(at)]);
          write(2, at, dbeta[scale.offset(at)]);
        });
  }

  private double hat(long[] at) {
    return (of(x, at) - of(mean, at)) * of(norm.inputs().get(3), at);
  }

  private void each(Consumer<long[]> work) {
    FakeGraphNumbers.each(x.dims(), work);
  }

  private double of(Tensor t, long[] at) {
    return get.at(t, t.offset(at));
  }

  private void write(int output, long[] at, double value) {
    Tensor t = norm.outputs().get(output);
    put.at(t, t.offset(at), value);
  }
}
