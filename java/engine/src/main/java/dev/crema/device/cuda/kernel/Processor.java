package dev.crema.device.cuda.kernel;

/**
 * What launches depend on.
 *
 * @param capability compute capability, 10 · major + minor: 90
 * @param multiprocessors of the card
 * @param sharedBytes the most shared memory that a block may ask for
 * @param l2Bytes of the second-level cache
 */
public record Processor(int capability, int multiprocessors, int sharedBytes, int l2Bytes) {}
