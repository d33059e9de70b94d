/**
 * The Open Inference Protocol v2 (KServe, Triton, MLServer), REST and gRPC, with its extensions.
 */
package dev.crema.serving.openinference;
