/** gRPC's own services and all protocols' in one endpoint. */
package dev.crema.serving.grpc;
