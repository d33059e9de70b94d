package dev.crema.compress;

/** The values of an activation that bytes are to stand for. */
record CalibrationRange(double low, double high) {
  CalibrationRange scaled(double factor) {
    return new CalibrationRange(low * factor, high * factor);
  }

  CalibrationRange with(double other) {
    return new CalibrationRange(Math.min(low, other), Math.max(high, other));
  }

  /** This one moved towards another by a share of the way. */
  CalibrationRange towards(CalibrationRange other, double share) {
    return new CalibrationRange(
        low + share * (other.low - low), high + share * (other.high - high));
  }
}
