/**
 * {@code crema bench gpu}: whole works on one device, for the table that PyTorch's figures join.
 */
package dev.crema.bench.gpu;
