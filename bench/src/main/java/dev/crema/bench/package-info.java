/**
 * Measures Crema beside the limits of the machine and, in the profile {@code peers}, beside other
 * engines. A {@link dev.crema.bench.Work} says what is computed, an {@link dev.crema.bench.Engine}
 * computes it; every pair runs in a JVM of its own ({@link dev.crema.bench.Fork}) under JMH.
 */
package dev.crema.bench;
