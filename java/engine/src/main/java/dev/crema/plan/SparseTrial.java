package dev.crema.plan;

import dev.crema.device.Device;
import dev.crema.graph.Application;
import dev.crema.pass.NonZeros;
import dev.crema.pass.Prepack;
import dev.crema.pass.Sparsify;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Whether a product pays without the zeros of its kernel: both are measured on this machine, at the
 * plan's capacity, with random kernels of the same shape and as many zeros, in groups if those are,
 * which takes a few hundredths of a second. The answer is kept for as long as the process runs.
 * Thread-safe.
 *
 * @param capacity most examples of a batch
 * @param threads of the pool; 0 for all
 * @param packs whether the plan packs the kernels of dense layers otherwise
 */
public record SparseTrial(Device device, int capacity, int threads, boolean packs)
    implements Sparsify.Choice {
  /** Steps in which the share of weights that are not 0 is told apart. */
  public static final int SHARES = 40;

  private static final Answers<Question> ANSWERS = new Answers<>();

  public SparseTrial {
    Objects.requireNonNull(device, "device");
  }

  /**
   * What is told apart of kernels of one shape.
   *
   * @param share of weights that are not 0, of {@link #SHARES}, rounded up
   * @param grouped whether they stand in groups
   */
  public record Pattern(int share, boolean grouped) {
    public static Pattern of(NonZeros nonZeros, long weights) {
      int share = (int) ((nonZeros.weights() * SHARES + weights - 1) / weights);
      return new Pattern(share, nonZeros.areGrouped());
    }
  }

  @Override
  public boolean pays(Application product, NonZeros nonZeros) {
    Question question =
        new Question(
            device.toString() + " " + device.description(),
            ProductRace.Product.of(product),
            Pattern.of(nonZeros, product.input(1).type().elements().constant()),
            capacity,
            threads,
            packs);
    return ANSWERS.of(question, this::measure);
  }

  private boolean measure(Question question) {
    ProductRace.Product product = question.product();
    long units = product.kernel().dim(-1).constant();
    try (ProductRace race =
        new ProductRace(product, kept(units, question.pattern()), device, capacity, threads)) {
      NonZeros nonZeros = new NonZeros(race.nonZeros(), race.nonZeros());
      Sparsify all =
          new Sparsify(Map.of(ProductRace.KERNEL, nonZeros), capacity, (p, count) -> true);
      return race.isFaster(List.of(all), List.of(new Prepack(packs)));
    }
  }

  /** Weights at random, in that pattern. */
  private static ProductRace.Kept kept(long units, Pattern pattern) {
    boolean[] group = new boolean[1]; // whether the one that was begun last is kept
    return (random, i) -> {
      if (!pattern.grouped() || i % units % NonZeros.GROUP == 0) {
        group[0] = random.nextInt(SHARES) < pattern.share();
      }
      return group[0];
    };
  }

  /** What an answer depends on. */
  private record Question(
      String device,
      ProductRace.Product product,
      Pattern pattern,
      int capacity,
      int threads,
      boolean packs) {}
}
