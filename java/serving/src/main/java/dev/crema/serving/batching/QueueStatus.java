package dev.crema.serving.batching;

/**
 * How much waits for a version.
 *
 * @param requests that wait
 * @param examples of them that wait
 * @param computing batches that are being computed from the queue
 * @param inUse requests that wait or are being answered
 */
public record QueueStatus(
    String model, long version, int requests, int examples, int computing, int inUse) {}
