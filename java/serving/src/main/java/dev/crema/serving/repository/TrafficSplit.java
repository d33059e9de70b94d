package dev.crema.serving.repository;

import java.util.Objects;

/**
 * What of the requests that name neither version nor label goes elsewhere than to the default.
 *
 * @param canaryLabel whose version answers some of them; "" for none
 * @param canaryPercent how many, 0 to 100. A request with an id goes where its id's hash says, so
 *     that the same id always gets the same; while that version is not available, all go to the
 *     default
 * @param shadowLabel whose version computes copies of them, too, for comparison only; "" for none
 * @param shadowPercent how many, 0 to 100
 */
public record TrafficSplit(
    String canaryLabel, double canaryPercent, String shadowLabel, double shadowPercent) {
  public static final TrafficSplit NONE = new TrafficSplit("", 0, "", 0);

  public TrafficSplit {
    Objects.requireNonNull(canaryLabel, "canaryLabel");
    Objects.requireNonNull(shadowLabel, "shadowLabel");
    requirePercent("canaryPercent", canaryPercent);
    requirePercent("shadowPercent", shadowPercent);
  }

  private static void requirePercent(String name, double value) {
    if (!(value >= 0 && value <= 100)) {
      throw new IllegalArgumentException(name + " is from 0 to 100, got " + value);
    }
  }

  /** That share of the requests to the version labelled "canary". */
  public static TrafficSplit canary(double percent) {
    return new TrafficSplit("canary", percent, "", 0);
  }

  /** Copies of that share of the requests to the version of a label. */
  public static TrafficSplit shadow(String label, double percent) {
    return new TrafficSplit("", 0, label, percent);
  }
}
