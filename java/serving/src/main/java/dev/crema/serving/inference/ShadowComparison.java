package dev.crema.serving.inference;

import java.util.Objects;

/**
 * How the answer of a shadow version differs from the one that the client got.
 *
 * @param version that answered
 * @param shadow version that computed the copy
 * @param examples of the request
 * @param maxAbsDifference greatest difference of any two numbers; NaN if only one of them is NaN
 * @param agreeing examples whose greatest value of the first output stands at the same place, or,
 *     where it has one value an example, on the same side of 0.5
 * @param error why the shadow did not answer; "" if it did
 */
public record ShadowComparison(
    String model,
    long version,
    long shadow,
    int examples,
    double maxAbsDifference,
    int agreeing,
    String error) {
  public ShadowComparison {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(error, "error");
  }
}
