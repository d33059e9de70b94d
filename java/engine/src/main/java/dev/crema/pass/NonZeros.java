package dev.crema.pass;

/**
 * What of a kernel [..., in, units] is not 0.
 *
 * @param weights that are not 0
 * @param groups of four weights of a row, from a multiple of four on, one of which is not 0
 */
public record NonZeros(long weights, long groups) {
  public static final int GROUP = 4;

  /** Whether they stand in such groups, as in blocks: then four have one index. */
  public boolean areGrouped() {
    return 4 * weights >= 3 * GROUP * groups;
  }
}
