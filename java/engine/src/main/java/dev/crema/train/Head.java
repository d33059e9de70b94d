package dev.crema.train;

import dev.crema.data.Dataset;

/**
 * An output of a model that is trained or measured, and by what.
 *
 * @param output its name
 * @param index its place among the model's outputs
 * @param weight what its loss counts in the sum
 * @param classWeights null for all the same
 * @param target what the data has for it
 */
record Head(
    String output,
    int index,
    Loss loss,
    double weight,
    float[] classWeights,
    Dataset.Slot target) {}
