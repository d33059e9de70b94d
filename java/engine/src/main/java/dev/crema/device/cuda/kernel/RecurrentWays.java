package dev.crema.device.cuda.kernel;

import dev.crema.device.cuda.kernel.RecurrentLayer.Pass;
import dev.crema.memory.ElementType;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Recurrent layers of float32 by cuDNN beside Crema's own, as ways whose results differ by
 * rounding. Weights are brought into cuDNN's order, and their gradients back, by a launch each. A
 * gradient has cuDNN do the forward pass again, whose reserve then is nobody else's business: so
 * either may be chosen without the other. A forward pass is cuDNN's only where nobody reads the
 * gates, which cuDNN does not tell.
 */
final class RecurrentWays {
  private static final String OWN = "steps";
  private static final String FAMILY = "recurrent_weights";
  private static final int PLACES = 8; // of the struct Places

  private RecurrentWays() {}

  /** The forward pass, of which Crema's own way is given. */
  static Kernel forward(RecurrentCell cell, Kernel own) {
    return (c, to) -> {
      boolean read = Arrays.stream(cell.forGradients()).anyMatch(c::isRead);
      if (read || !isPossible(c)) {
        own.launch(c, to);
        return;
      }
      Ways ways = ways(c, cell.instruction, own, l -> forward(c, l, cell));
      to.oneOf(ways.ignoring(cell.forGradients()));
    };
  }

  /** The gradient, likewise. */
  static Kernel gradient(RecurrentCell cell, Kernel own) {
    return (c, to) -> {
      if (isPossible(c)) {
        to.oneOf(ways(c, cell.instruction + "_grad", own, l -> gradient(c, l, cell)));
      } else {
        own.launch(c, to);
      }
    };
  }

  /** Extents that cuDNN's 32 bits hold, and something to do. */
  private static boolean isPossible(Call c) {
    long rows = c.in(0).rows();
    long units = c.in(2).dim(0);
    return c.in(0).type() == ElementType.FLOAT32
        && c.in(0).elements() > 0
        && units > 0
        && rows * Math.max(c.in(0).last(), units) <= Integer.MAX_VALUE
        && c.in(2).elements() <= Integer.MAX_VALUE;
  }

  private static Ways ways(Call c, String name, Kernel own, Predicate<Launches> library) {
    Operand x = c.in(0);
    String form =
        String.format(
            Locale.ROOT,
            "%s of [%d, %d, %d] with %d units, %s",
            name,
            Ways.rows(x.dim(0)),
            x.dim(1),
            x.dim(2),
            c.in(2).dim(0),
            x.type());
    return CudnnWay.ways(c, form, OWN, launches -> own.launch(c, launches), library);
  }

  private static boolean forward(Call c, Launches to, RecurrentCell cell) {
    Recurrence of = cell.layer(c);
    Optional<RecurrentLayer> there = to.recurrent(of);
    if (there.isEmpty()) {
      return false;
    }
    RecurrentLayer layer = there.get();
    long weights = to.scratch(layer.weightBytes());
    long workspace = workspace(to, layer, false);
    bring(c, to, of, layer.places(weights), c.address(3), cell.recurrentBias(c));
    layer.forward(cell.pass(c, weights, workspace));
    return true;
  }

  private static long workspace(Launches to, RecurrentLayer layer, boolean training) {
    long bytes = layer.workspaceBytes(training);
    return bytes == 0 ? 0 : to.scratch(bytes);
  }

  private static boolean gradient(Call c, Launches to, RecurrentCell cell) {
    Recurrence of = cell.layer(c);
    Optional<RecurrentLayer> there = to.recurrent(of);
    if (there.isEmpty()) {
      return false;
    }
    RecurrentLayer layer = there.get();
    long weights = to.scratch(layer.weightBytes());
    long dWeights = to.scratch(layer.weightBytes());
    long workspace = workspace(to, layer, true);
    long reserve = to.scratch(layer.reserveBytes());
    long bytes = 4L * of.n() * of.t() * of.units();
    long y = to.scratch(bytes);
    bring(c, to, of, layer.places(weights), cell.biasAgain(c), cell.recurrentBiasAgain(c));
    Pass pass = cell.passAgain(c, y, weights, workspace, reserve);
    layer.forward(pass);
    long dy = cell.dy(c);
    if (dy == 0) {
      dy = to.scratch(bytes);
      to.fill(dy, 0, bytes);
    }
    to.fill(dWeights, 0, layer.weightBytes());
    layer.gradients(pass, cell.slopes(c, dy, dWeights));
    to.launch(
        FAMILY,
        "recurrent_weights_from",
        blocks(c, of),
        extents(
            Arguments.of()
                .struct(places(layer.places(dWeights)))
                .pointer(c.out(1).address())
                .pointer(c.out(2).address())
                .pointer(c.out(3).address())
                .pointer(cell.dRecurrentBias(c)),
            of));
    return true;
  }

  /** Weights into cuDNN's space. */
  private static void bring(
      Call c, Launches to, Recurrence of, long[] places, long bias, long recurrentBias) {
    to.launch(
        FAMILY,
        "recurrent_weights_to",
        blocks(c, of),
        extents(
            Arguments.of()
                .pointer(c.address(1))
                .pointer(c.address(2))
                .pointer(bias)
                .pointer(recurrentBias)
                .struct(places(places)),
            of));
  }

  /** A block a row of the matrices. */
  private static long blocks(Call c, Recurrence of) {
    return Grid.ofBlocks(c, (long) of.gates() * of.units());
  }

  private static Arguments extents(Arguments arguments, Recurrence of) {
    return arguments.int32(of.features()).int32(of.units()).int32(of.gates());
  }

  private static byte[] places(long[] addresses) {
    int gates = addresses.length / 2;
    return new Struct()
        .int64s(Arrays.copyOf(addresses, gates), PLACES)
        .int64s(Arrays.copyOfRange(addresses, gates, 2 * gates), PLACES)
        .toBytes();
  }
}
