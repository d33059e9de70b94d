/**
 * What a server does, in numbers: requests, latencies, batches, models, memory, drift of inputs and
 * predictions, live accuracy from delayed ground truth, trainings. Meters are Micrometer's; {@code
 * /metrics} gives them to Prometheus.
 */
package dev.crema.serving.monitoring;
