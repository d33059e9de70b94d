/**
 * Reads examples from files, arrays and iterators into off-heap batches: CSV, IDX, NPY/NPZ, image
 * folders, Java arrays and iterators, with what was learnt from the training set ({@link
 * dev.crema.data.Preprocessing}) kept apart so that it can be saved beside a model. Plain Java:
 * knows nothing of graphs or devices. Images are channels last, [height, width, channels].
 */
package dev.crema.data;
