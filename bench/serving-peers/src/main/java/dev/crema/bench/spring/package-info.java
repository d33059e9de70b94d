/**
 * A Spring Boot service as a Java team writes it today, to measure Crema's server against: the same
 * model, the same request, the same client.
 */
package dev.crema.bench.spring;
