/**
 * The calls of {@code dev.crema.device.cuda.calls} through the JavaCPP preset for CUDA, one by one
 * without logic of their own. Loaded only where a driver was found.
 */
package dev.crema.device.cuda.preset;
