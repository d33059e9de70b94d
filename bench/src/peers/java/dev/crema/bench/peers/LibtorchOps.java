package dev.crema.bench.peers;

import dev.crema.bench.Data;
import dev.crema.bench.Problem;
import dev.crema.bench.Task;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Single operations of libtorch. */
@SuppressWarnings("try") // a scope frees what is made in it
final class LibtorchOps {
  private static final long[] ONE = {1, 1};
  private static final int GATES = 4;

  private LibtorchOps() {}

  static boolean has(Problem problem) {
    return problem instanceof Problem.MatMul
        || problem instanceof Problem.Rowwise
        || problem instanceof Problem.MaxPool
        || problem instanceof Problem.AdamUpdate
        || problem instanceof Problem.ResidualBlock
        || problem instanceof Problem.LstmLayer;
  }

  static Task prepare(Problem problem) {
    if (problem instanceof Problem.MatMul p) {
      return matMul(p);
    }
    if (problem instanceof Problem.Rowwise p) {
      return rowwise(p);
    }
    if (problem instanceof Problem.MaxPool p) {
      return maxPool(p);
    }
    if (problem instanceof Problem.AdamUpdate p) {
      return adam(p);
    }
    if (problem instanceof Problem.ResidualBlock p) {
      return residual(p);
    }
    if (problem instanceof Problem.LstmLayer p) {
      return lstm(p);
    }
    throw new IllegalArgumentException("libtorch is not asked for " + problem);
  }

  /** What an operation gives, and how that reads as Crema's result. */
  private interface Operation {
    Tensor run();
  }

  private interface Reading {
    float[] array(Tensor result);
  }

  private static Task task(boolean gradients, Operation operation, Reading reading) {
    AutoGradMode mode = new AutoGradMode(gradients); // of this thread
    return new Task() {
      @Override
      public float[] check() {
        try (PointerScope ignored = new PointerScope()) {
          return reading.array(operation.run());
        }
      }

      @Override
      public void run() {
        try (PointerScope ignored = new PointerScope()) {
          operation.run();
        }
      }

      @Override
      public void close() {
        mode.close();
      }
    };
  }

  private static Task matMul(Problem.MatMul p) {
    Tensor a = uniform(1, p.m(), p.k());
    Tensor b = uniform(2, p.k(), p.n());
    Tensor c = torch.zeros(p.m(), p.n());
    return task(false, () -> torch.mm_out(c, a, b), TorchTensors::array);
  }

  private static Task rowwise(Problem.Rowwise p) {
    Tensor x = TorchTensors.floats(p.input(), p.rows(), p.columns());
    TensorOptional gamma = new TensorOptional(uniform(2, p.columns()));
    TensorOptional beta = new TensorOptional(uniform(3, p.columns()));
    long[] row = {p.columns()};
    Operation operation =
        switch (p.function()) {
          case SOFTMAX -> () -> torch.softmax(x, 1);
          case GELU -> () -> torch.gelu(x);
          case LAYER_NORM -> () -> torch.layer_norm(x, row, gamma, beta, 1e-5, false);
        };
    return task(false, operation, TorchTensors::array);
  }

  /** Channels last: five times as fast as channels first. */
  private static Task maxPool(Problem.MaxPool p) {
    int elements = p.batch() * p.side() * p.side() * p.channels();
    float[] values = Data.uniform(1, elements);
    Tensor x =
        TorchTensors.images(
            values, p.batch(), p.side(), p.side(), p.channels(), torch.MemoryFormat.ChannelsLast);
    return task(false, () -> torch.max_pool2d(x, 2, 2), TorchTensors::channelsLast);
  }

  private static Task adam(Problem.AdamUpdate p) {
    Tensor w = uniform(1, p.parameters()).set_requires_grad(true);
    w.mutable_grad().put(uniform(2, p.parameters()));
    TorchAdam optimizer = new TorchAdam(List.of(w));
    return task(
        true,
        () -> {
          optimizer.step();
          return w;
        },
        result -> TorchTensors.array(result.detach()));
  }

  /** Forward with channels last, which takes three quarters of the time; backward it takes more. */
  private static Task residual(Problem.ResidualBlock p) {
    int c = p.channels();
    int elements = p.batch() * p.side() * p.side() * c;
    boolean backward = p.backward();
    torch.MemoryFormat layout =
        backward ? torch.MemoryFormat.Contiguous : torch.MemoryFormat.ChannelsLast;
    Tensor x =
        TorchTensors.images(Data.uniform(1, elements), p.batch(), p.side(), p.side(), c, layout);
    Tensor dy =
        TorchTensors.images(Data.uniform(6, elements), p.batch(), p.side(), p.side(), c, layout);
    int weights = 9 * c * c;
    Tensor k1 = TorchTensors.kernel(Data.weights(2, weights, 9 * c), 3, 3, c, c, layout);
    Tensor k2 = TorchTensors.kernel(Data.weights(3, weights, 9 * c), 3, 3, c, c, layout);
    Tensor b1 = uniform(4, c);
    Tensor b2 = uniform(5, c);
    List<Tensor> inputs = new ArrayList<>(List.of(x, k1, k2, b1, b2));
    if (backward) {
      inputs.replaceAll(t -> t.set_requires_grad(true));
    }
    Operation forward =
        () -> {
          Tensor inner = torch.relu_(convolution(x, k1, b1));
          return torch.relu_(convolution(inner, k2, b2).add_(x));
        };
    if (!backward) {
      return task(false, forward, TorchTensors::channelsLast);
    }
    return task(true, () -> gradient(forward, dy, inputs), TorchTensors::channelsLast);
  }

  private static Tensor convolution(Tensor x, Tensor kernel, Tensor bias) {
    return torch.conv2d(x, kernel, new TensorOptional(bias), ONE, ONE, ONE, 1);
  }

  /** Forward and backward from given gradients of the result; gives that of the first input. */
  private static Tensor gradient(Operation forward, Tensor dy, List<Tensor> inputs) {
    inputs.forEach(t -> t.mutable_grad().reset());
    forward.run().backward(dy, new BoolOptional(false), false, new TensorArrayRefOptional());
    return inputs.get(0).grad();
  }

  private static Task lstm(Problem.LstmLayer p) {
    int u = p.units();
    Tensor x = uniform(1, p.batch(), p.steps(), u).set_requires_grad(true);
    Tensor dy = uniform(5, p.batch(), p.steps(), u);
    Tensor kernel = gates(Data.weights(2, GATES * u * u, u), u);
    Tensor recurrent = gates(Data.weights(3, GATES * u * u, u), u);
    Tensor bias = uniform(4, GATES * u).set_requires_grad(true);
    Tensor none = torch.zeros(GATES * u);
    TensorVector state =
        new TensorVector(torch.zeros(1, p.batch(), u), torch.zeros(1, p.batch(), u));
    TensorVector weights = new TensorVector(kernel, recurrent, bias, none);
    Operation forward = () -> torch.lstm(x, state, weights, true, 1, 0, true, false, true).get0();
    List<Tensor> inputs = List.of(x, kernel, recurrent, bias);
    return task(true, () -> gradient(forward, dy, inputs), TorchTensors::array);
  }

  /** [features, 4·units] to [4·units, features]. */
  private static Tensor gates(float[] values, int units) {
    Tensor transposed = TorchTensors.floats(values, units, GATES * (long) units).t().contiguous();
    return transposed.set_requires_grad(true);
  }

  private static Tensor uniform(long seed, long... dims) {
    long n = 1;
    for (long d : dims) {
      n *= d;
    }
    return TorchTensors.floats(Data.uniform(seed, (int) n), dims);
  }
}
