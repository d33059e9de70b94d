/** TensorFlow Serving's protocols, REST and gRPC, as its own clients speak them. */
package dev.crema.serving.tensorflow;
