/** Tensors as protocols write them: types of numbers, JSON, what may become what. */
package dev.crema.serving.tensor;
