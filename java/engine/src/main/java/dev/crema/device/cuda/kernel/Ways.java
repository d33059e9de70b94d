package dev.crema.device.cuda.kernel;

import java.util.List;
import java.util.function.Predicate;

/**
 * Several ways to compute an instruction, all of which write the same bits: which one is taken is a
 * matter of time alone.
 *
 * @param call with one output, whose old contents nobody reads
 * @param form all that the time of a way depends on, for people, too
 * @param all the first is taken where nothing was measured
 */
public record Ways(Call call, String form, List<Way> all) {
  /**
   * One of them.
   *
   * @param kind its name, told apart within a form
   * @param launches gives its launches; false if a library has no algorithm for it, when what was
   *     launched has no effect that anybody sees
   */
  public record Way(String kind, Predicate<Launches> launches) {
    /** Gives its launches; false if there is no such way after all. */
    public boolean launch(Launches to) {
      return launches.test(to);
    }
  }

  public Ways {
    all = List.copyOf(all);
  }

  /** What is taken where nothing was measured. */
  public Way first() {
    return all.get(0);
  }

  /** The way of that kind; the first if there is none, or null is asked for. */
  public Way of(String kind) {
    return all.stream().filter(way -> way.kind().equals(kind)).findFirst().orElse(first());
  }

  /** Rows as a form names them: by the power of two that is not less. */
  static long rows(long count) {
    return count < 2 ? count : Long.highestOneBit(count - 1) << 1;
  }
}
