package dev.crema.eval;

/**
 * How well one class is told from the others.
 *
 * @param name the class
 * @param precision of what was predicted as this class, the share that was it; 0 if it was never
 *     predicted
 * @param recall of the examples of this class, the share that was found; 0 if there are none
 * @param f1 harmonic mean of the two; 0 if the class neither occurs nor is predicted
 * @param support examples of this class
 * @param predicted how often it was predicted
 * @param rocAuc area under the ROC curve of this class against the rest; NaN where it is not
 *     defined: the class has no example, or only this class has
 */
public record ClassScores(
    String name,
    double precision,
    double recall,
    double f1,
    long support,
    long predicted,
    double rocAuc) {

  static ClassScores of(
      String name, long truePositives, long predicted, long support, double rocAuc) {
    return new ClassScores(
        name,
        ratio(truePositives, predicted),
        ratio(truePositives, support),
        ratio(2 * truePositives, predicted + support),
        support,
        predicted,
        rocAuc);
  }

  static double ratio(long part, long whole) {
    return whole == 0 ? 0 : (double) part / whole;
  }
}
