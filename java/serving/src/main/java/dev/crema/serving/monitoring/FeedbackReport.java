package dev.crema.serving.monitoring;

/**
 * How good a version's predictions were, by the ground truth that came for them in the sliding
 * window. Figures that there is no truth for are NaN.
 *
 * @param labels classes that came
 * @param accuracy part of the predicted classes that were right
 * @param precision mean over the classes that were told or true
 * @param recall mean over the same classes
 * @param f1 mean over the same classes
 * @param values numbers that came
 * @param meanAbsoluteError of the numbers, in the unit of the model's output
 * @param rootMeanSquaredError of the numbers, in the same unit
 */
public record FeedbackReport(
    String model,
    long version,
    long labels,
    double accuracy,
    double precision,
    double recall,
    double f1,
    long values,
    double meanAbsoluteError,
    double rootMeanSquaredError) {}
