package dev.crema.device.cuda.kernel;

import dev.crema.device.cuda.kernel.RecurrentLayer.Pass;
import dev.crema.device.cuda.kernel.RecurrentLayer.Slopes;

/**
 * Where tensors stand in the instructions of recurrent layers, as {@link RecurrentKernels} says.
 */
enum RecurrentCell {
  LSTM("lstm") {
    @Override
    int[] forGradients() {
      return new int[] {3, 4};
    }

    @Override
    long recurrentBias(Call c) {
      return 0;
    }

    @Override
    Pass pass(Call c, long weights, long workspace) {
      return new Pass(
          c.address(0),
          c.address(4),
          c.address(5),
          c.out(0).address(),
          c.out(1).address(),
          c.out(2).address(),
          weights,
          workspace,
          0);
    }

    @Override
    long biasAgain(Call c) {
      return c.address(11);
    }

    @Override
    long recurrentBiasAgain(Call c) {
      return 0;
    }

    @Override
    Pass passAgain(Call c, long y, long weights, long workspace, long reserve) {
      return new Pass(
          c.address(0), c.address(3), c.address(4), y, 0, 0, weights, workspace, reserve);
    }

    @Override
    long dy(Call c) {
      return c.address(8);
    }

    @Override
    Slopes slopes(Call c, long dy, long dWeights) {
      return new Slopes(
          dy,
          c.address(9),
          c.address(10),
          c.out(0).address(),
          c.out(4).address(),
          c.out(5).address(),
          dWeights);
    }

    @Override
    long dRecurrentBias(Call c) {
      return 0;
    }
  },
  GRU("gru") {
    @Override
    int[] forGradients() {
      return new int[] {2, 3};
    }

    @Override
    long recurrentBias(Call c) {
      return c.address(4);
    }

    @Override
    Pass pass(Call c, long weights, long workspace) {
      return new Pass(
          c.address(0),
          c.address(5),
          0,
          c.out(0).address(),
          c.out(1).address(),
          0,
          weights,
          workspace,
          0);
    }

    @Override
    long biasAgain(Call c) {
      return c.address(9);
    }

    @Override
    long recurrentBiasAgain(Call c) {
      return c.address(10);
    }

    @Override
    Pass passAgain(Call c, long y, long weights, long workspace, long reserve) {
      return new Pass(c.address(0), c.address(3), 0, y, 0, 0, weights, workspace, reserve);
    }

    @Override
    long dy(Call c) {
      return c.address(7);
    }

    @Override
    Slopes slopes(Call c, long dy, long dWeights) {
      return new Slopes(dy, c.address(8), 0, c.out(0).address(), c.out(5).address(), 0, dWeights);
    }

    @Override
    long dRecurrentBias(Call c) {
      return c.out(4).address();
    }
  };

  /** The instruction; its gradient's is {@code NAME_grad}. */
  final String instruction;

  RecurrentCell(String instruction) {
    this.instruction = instruction;
  }

  /** Outputs that only a gradient reads. */
  abstract int[] forGradients();

  /** Address of the bias beside the state; 0 if there is none. */
  abstract long recurrentBias(Call c);

  abstract Pass pass(Call c, long weights, long workspace);

  /** As the others, of a gradient, which goes through the layer again. */
  abstract long biasAgain(Call c);

  abstract long recurrentBiasAgain(Call c);

  abstract Pass passAgain(Call c, long y, long weights, long workspace, long reserve);

  /** Address of what flows into every h; 0: nothing. */
  abstract long dy(Call c);

  abstract Slopes slopes(Call c, long dy, long dWeights);

  /** Where the gradient of the bias beside the state goes; 0: nowhere. */
  abstract long dRecurrentBias(Call c);

  Recurrence layer(Call c) {
    Operand x = c.in(0);
    return new Recurrence(
        this == LSTM,
        Math.toIntExact(x.dim(0)),
        Math.toIntExact(x.dim(1)),
        Math.toIntExact(x.dim(2)),
        Math.toIntExact(c.in(2).dim(0)));
  }
}
