/**
 * Whether data is still like that which a model learnt from: histograms of features, and how far
 * two of them lie apart. Plain Java.
 */
package dev.crema.eval.drift;
