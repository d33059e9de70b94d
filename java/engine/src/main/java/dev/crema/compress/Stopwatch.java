package dev.crema.compress;

import dev.crema.data.Dataset;
import dev.crema.device.Device;
import java.util.List;

/** Tells how long predictions take: {@link Latency#medians}, or a test's own idea. */
interface Stopwatch {
  /** The median latency in nanoseconds of each, measured in turns. */
  double[] medians(List<Candidate> candidates, int batch, Dataset data, int threads, Device device);
}
