/** Spans of requests, sent to a collector by OpenTelemetry's protocol. */
package dev.crema.serving.tracing;
