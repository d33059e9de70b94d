package dev.crema.compress;

import dev.crema.op.Fp8;
import dev.crema.op.QuantizationParameters;

/** The values of an activation that bytes are to stand for. */
record CalibrationRange(double low, double high) {
  /** Unsigned bytes for it. */
  QuantizationParameters bytes() {
    return QuantizationParameters.ofRange(low, high);
  }

  /** A scale for it as fp8: the greatest number is {@link Fp8#MAX} of it; 1 for zeros. */
  QuantizationParameters fp8() {
    double most = Math.max(Math.abs(low), Math.abs(high));
    float scale = most == 0 ? 1 : Math.max((float) (most / Fp8.MAX), Float.MIN_NORMAL);
    return new QuantizationParameters(scale, 0);
  }

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
