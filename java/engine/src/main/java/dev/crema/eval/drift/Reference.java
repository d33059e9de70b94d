package dev.crema.eval.drift;

import java.util.List;
import java.util.Objects;

/**
 * How the data that a model learnt from was distributed, and what the model said of it: what live
 * data is compared with. Stored with the model, see {@link ReferenceFormat}. Immutable but for the
 * arrays of counts, which nobody writes to.
 *
 * @param examples that were counted
 */
public record Reference(long examples, List<Tensor> inputs, List<Tensor> outputs) {
  /** By this name it stands in a model's metadata. */
  public static final String KEY = "reference";

  public Reference {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
  }

  /**
   * An input or output.
   *
   * @param width elements of one example
   * @param features of which elements there are histograms: all, or some evenly spaced where there
   *     are too many; none for classes
   * @param classes null, or for an output that tells classes
   */
  public record Tensor(String name, int width, List<Feature> features, Classes classes) {
    public Tensor {
      Objects.requireNonNull(name, "name");
      features = List.copyOf(features);
      for (Feature feature : features) {
        if (feature.position() < 0 || feature.position() >= width) {
          throw new IllegalArgumentException(
              "'" + name + "' has " + width + " elements, but " + feature.position() + " is one");
        }
      }
      if (classes != null && width > 1 && width != classes.counts().length) {
        throw new IllegalArgumentException(
            "'" + name + "' has " + width + " elements for other classes: " + classes.names());
      }
    }
  }

  /**
   * One element of a tensor.
   *
   * @param position among the elements of an example
   * @param counts of values in each bin
   */
  public record Feature(String name, int position, Bins bins, long[] counts) {
    public Feature {
      Objects.requireNonNull(name, "name");
      Objects.requireNonNull(bins, "bins");
      if (counts.length != bins.count()) {
        throw new IllegalArgumentException(
            "Feature '"
                + name
                + "' has "
                + bins.count()
                + " bins and "
                + counts.length
                + " counts");
      }
    }
  }

  /**
   * Which classes a model told: the place of the greatest of several outputs, or whether the only
   * one is above the threshold.
   *
   * @param counts of predictions of each
   */
  public record Classes(List<String> names, float threshold, long[] counts) {
    public Classes {
      names = List.copyOf(names);
      if (counts.length != names.size()) {
        throw new IllegalArgumentException(
            "There are " + names.size() + " classes and " + counts.length + " counts");
      }
    }
  }
}
