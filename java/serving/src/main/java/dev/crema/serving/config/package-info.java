/** A whole server from a file: server.yaml. */
package dev.crema.serving.config;
