/** Serves models: in the same process, or by HTTP and gRPC. Knows {@code Model}, no kernels. */
package dev.crema.serving;
