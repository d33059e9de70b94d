package dev.crema.device.cuda;

import dev.crema.CremaException;
import dev.crema.device.cuda.kernel.Call;
import dev.crema.device.cuda.kernel.Operand;
import dev.crema.device.cuda.kernel.Ways;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out which of several ways to compute an instruction is the fastest on this card, by a
 * {@link Trial}, where the instruction stands in a run, on the inputs that it has there, before it
 * runs.
 */
final class Race {
  private static final Logger LOG = LoggerFactory.getLogger(Race.class);

  private final CudaDevice device;
  private final boolean tf32;
  private final long stream;

  Race(CudaDevice device, boolean tf32, long stream) {
    this.device = device;
    this.tf32 = tf32;
    this.stream = stream;
  }

  /**
   * Tries the ways unless that was done before, and keeps the fastest for later plans. Leaves the
   * output with whatever stands there, and variables as they were. A failure that leaves the device
   * usable is borne: then the first way counts.
   */
  void run(Ways ways) {
    if (ways.all().size() < 2 || !mayRepeat(ways.call())) {
      return;
    }
    Choices choices = device.choices();
    synchronized (choices.racing()) {
      if (choices.of(ways.form()) != null) {
        return;
      }
      Trial trial = new Trial(device, tf32, stream, ways);
      try (trial) {
        trial.run().ifPresent(kind -> choices.put(ways.form(), kind));
      } catch (CremaException e) {
        if (device.context().hasFailed() && e instanceof CudaException broken) {
          throw broken.at(ways.form() + ", tried by " + trial.kind());
        }
        if (trial.hasChanged()) {
          throw e; // a run would go on from other numbers
        }
        LOG.warn(
            "{}: {} on {} is computed by {}, since the ways to compute it could not be timed: {}",
            ways.call().instruction().where(),
            ways.form(),
            device.name(),
            ways.first().kind(),
            e.getMessage());
        choices.put(ways.form(), ways.first().kind());
      }
    }
  }

  /** Whether no output is an input's memory, and there are some. */
  private static boolean mayRepeat(Call call) {
    long written = 0;
    for (int i = 0; i < call.outs(); i++) {
      Operand y = call.out(i);
      for (int j = 0; j < call.ins(); j++) {
        if (call.has(j) && meet(call.in(j), y)) {
          return false;
        }
      }
      written += y.bytes();
    }
    return written > 0;
  }

  private static boolean meet(Operand a, Operand b) {
    return a.address() < b.address() + b.bytes() && b.address() < a.address() + a.bytes();
  }
}
