package dev.crema.compress;

import java.util.Locale;
import java.util.Objects;
import java.util.regex.Matcher;

/**
 * What of a weight is pruned as one. A weight [..., in, out] is seen as the matrix [inputs, out] of
 * its last axis and all others: for a dense layer its inputs and units, for a convolution [kh · kw
 * · in, filters].
 */
public sealed interface Pattern {
  /** Single weights. */
  record Unstructured() implements Pattern {
    @Override
    public String toString() {
      return "unstructured";
    }
  }

  /**
   * Blocks of that many inputs and outputs, counted from the first of each; those at the far edges
   * may be smaller. A block's rank is the mean square of its weights.
   */
  record Block(int rows, int columns) implements Pattern {
    public Block {
      if (rows < 1 || columns < 1) {
        throw new IllegalArgumentException(
            "A block has at least one row and one column, got " + rows + "x" + columns);
      }
    }

    @Override
    public String toString() {
      return "block:" + rows + "x" + columns;
    }
  }

  /**
   * Of m successive inputs of each output at most n are not 0 (2:4, Mishra et al. 2021). The number
   * of inputs must be divisible by m.
   */
  record NOfM(int n, int m) implements Pattern {
    public NOfM {
      if (n < 1 || m <= n) {
        throw new IllegalArgumentException(
            "Of m weights n stay, 1 <= n < m, as in 2:4; got " + n + ":" + m);
      }
    }

    /** The only sparsity that it has. */
    double sparsity() {
      return 1 - (double) n / m;
    }

    @Override
    public String toString() {
      return n + ":" + m;
    }
  }

  /**
   * Whole units of dense layers and filters of convolutions in one or two dimensions, each with its
   * bias and with the scale and shift of the batch normalisations behind: what is left of it
   * computes as if it was not there. Channels of several layers that a residual sum merges go
   * together. Layers that give the model's outputs, those whose channels cannot be taken out
   * ({@link Shrinker#obstacles}), and other kinds of layers keep theirs. A channel's rank is the
   * mean square of its weights.
   */
  record Channel() implements Pattern {
    @Override
    public String toString() {
      return "channel";
    }
  }

  static Pattern unstructured() {
    return new Unstructured();
  }

  static Pattern block(int rows, int columns) {
    return new Block(rows, columns);
  }

  static Pattern nOfM(int n, int m) {
    return new NOfM(n, m);
  }

  static Pattern channel() {
    return new Channel();
  }

  /**
   * By name, as the command line has it: {@code unstructured}, {@code 2:4}, {@code block:4x4},
   * {@code channel}.
   *
   * @throws IllegalArgumentException if it is none of them
   */
  static Pattern parse(String name) {
    String text = Objects.requireNonNull(name, "name").trim().toLowerCase(Locale.ROOT);
    Matcher block = java.util.regex.Pattern.compile("block:(\\d{1,9})x(\\d{1,9})").matcher(text);
    if (block.matches()) {
      return block(Integer.parseInt(block.group(1)), Integer.parseInt(block.group(2)));
    }
    Matcher ratio = java.util.regex.Pattern.compile("(\\d{1,9}):(\\d{1,9})").matcher(text);
    if (ratio.matches()) {
      return nOfM(Integer.parseInt(ratio.group(1)), Integer.parseInt(ratio.group(2)));
    }
    return switch (text) {
      case "unstructured" -> unstructured();
      case "channel" -> channel();
      default ->
          throw new IllegalArgumentException(
              "There is no pattern '"
                  + name
                  + "'; there are unstructured, N:M such as 2:4, block:RxC such as block:4x4, and"
                  + " channel");
    };
  }
}
