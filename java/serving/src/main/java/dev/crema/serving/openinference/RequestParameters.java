package dev.crema.serving.openinference;

import dev.crema.serving.inference.ServingException;
import dev.crema.serving.protocol.Calls;
import java.util.Map;

/** Parameters of a whole request, as Triton names them; unknown ones are left alone. */
final class RequestParameters {
  private RequestParameters() {}

  /** {@code timeout}, in microseconds, if it is earlier. */
  static long deadline(Map<String, Object> parameters, long deadlineNanos) {
    long timeout = number(parameters, "timeout");
    return timeout == 0
        ? deadlineNanos
        : Calls.earlier(deadlineNanos, Math.min(timeout, 86_400_000_000L) * 1000);
  }

  /**
   * {@code priority}: 0 and 1 are usual, higher numbers give way. So a client can step back, but
   * not ahead of others.
   */
  static int priority(Map<String, Object> parameters) {
    return -(int) Math.max(0, Math.min(number(parameters, "priority"), 1000) - 1);
  }

  private static long number(Map<String, Object> parameters, String name) {
    Object value = parameters.get(name);
    if (value == null) {
      return 0;
    }
    if (value instanceof Long number && number >= 0) {
      return number;
    }
    throw ServingException.invalidArgument(
        "parameter '" + name + "' takes a whole number from 0, got " + value);
  }

  /** {@code binary_data_output}: all outputs after the JSON. */
  static boolean binaryOutputs(Map<String, Object> parameters) {
    Object value = parameters.get("binary_data_output");
    if (value != null && !(value instanceof Boolean)) {
      throw ServingException.invalidArgument(
          "parameter 'binary_data_output' takes true or false, got " + value);
    }
    return Boolean.TRUE.equals(value);
  }
}
