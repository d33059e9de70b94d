/**
 * How good a model is: metrics accumulated batch by batch, and reports of them for people ({@code
 * toString}) and programs ({@code toJson}). Plain Java: nothing here knows a model or a device.
 *
 * <p>Accumulators ({@code …Metrics}) belong to one thread; for parallel evaluation each thread
 * takes its own from {@code fresh()} and they are merged at the end. Reports are immutable.
 */
package dev.crema.eval;
