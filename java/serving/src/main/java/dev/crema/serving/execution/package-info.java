/** Computes batches with one model: predictors that wait for the next batch. */
package dev.crema.serving.execution;
