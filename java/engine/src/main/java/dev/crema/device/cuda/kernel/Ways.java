package dev.crema.device.cuda.kernel;

import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * Several ways to compute an instruction: which one is taken is a matter of time alone, among those
 * that write the same bits, and of rounding with the others.
 *
 * @param call whose outputs' old contents nobody reads
 * @param form all that the time of a way depends on, for people, too: extents and types
 * @param all the first is taken where nothing was measured; it is not near
 * @param results which outputs are compared: those that somebody reads
 */
public record Ways(Call call, String form, List<Way> all, List<Integer> results) {
  /**
   * One of them.
   *
   * @param kind its name, told apart within a form
   * @param isNear whether what it writes may differ from the first way's by rounding
   * @param launches gives its launches; false if a library has no algorithm for it, when what was
   *     launched has no effect that anybody sees
   */
  public record Way(String kind, boolean isNear, Predicate<Launches> launches) {
    /** A way that writes the same bits as the first. */
    public Way(String kind, Predicate<Launches> launches) {
      this(kind, false, launches);
    }

    /** A way whose results differ by rounding, as another order of sums has it. */
    public static Way near(String kind, Predicate<Launches> launches) {
      return new Way(kind, true, launches);
    }

    /** Gives its launches; false if there is no such way after all. */
    public boolean launch(Launches to) {
      return launches.test(to);
    }
  }

  public Ways {
    all = List.copyOf(all);
    results = List.copyOf(results);
  }

  /** Of which all outputs are compared. */
  public Ways(Call call, String form, List<Way> all) {
    this(call, form, all, IntStream.range(0, call.outs()).boxed().toList());
  }

  /** The same, of which those outputs are not compared, since nobody reads them. */
  public Ways ignoring(int... outputs) {
    List<Integer> unread = Arrays.stream(outputs).boxed().toList();
    return new Ways(
        call, form, all, results.stream().filter(each -> !unread.contains(each)).toList());
  }

  /**
   * What may be chosen among.
   *
   * @param near whether results may differ by rounding
   * @param tf32 whether float32 factors may be rounded to TF32, which near ways may then do
   */
  public Ways among(boolean near, boolean tf32) {
    List<Way> some = near ? all : all.stream().filter(way -> !way.isNear()).toList();
    boolean byPrecision = tf32 && some.stream().anyMatch(Way::isNear);
    return new Ways(call, byPrecision ? form + ", TF32" : form, some, results);
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
