/**
 * How instructions become launches of kernels on CUDA devices: one file a family, named as the file
 * of its kernels in {@code dev/crema/kernels}.
 */
package dev.crema.device.cuda.kernel;
