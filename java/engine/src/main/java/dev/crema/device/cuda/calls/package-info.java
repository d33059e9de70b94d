/**
 * The CUDA functions that Crema calls, narrow enough to be recorded by a fake in tests. Implemented
 * over the JavaCPP preset in {@code dev.crema.device.cuda.preset}.
 */
package dev.crema.device.cuda.calls;
