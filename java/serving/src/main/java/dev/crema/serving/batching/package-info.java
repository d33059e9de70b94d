/**
 * Answers requests: at once on the caller's thread while nothing waits, else in batches of what
 * came meanwhile.
 */
package dev.crema.serving.batching;
