/** Smaller and faster models: pruning, quantization, distillation, and what they change. */
package dev.crema.compress;
