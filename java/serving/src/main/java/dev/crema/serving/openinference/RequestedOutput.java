package dev.crema.serving.openinference;

import dev.crema.serving.inference.ServingException;
import java.util.List;
import java.util.Map;

/**
 * An output that a client asks for.
 *
 * @param classes as that many strings of the best classes; 0 for the tensor itself
 * @param binary after the JSON; null where it is not said
 */
record RequestedOutput(String name, long classes, Boolean binary) {
  /** Parameters may be of any kind; those that are known are checked. */
  static RequestedOutput of(String name, Map<String, Object> parameters) {
    long classes = 0;
    Object given = parameters.get("classification");
    if (given != null) {
      if (!(given instanceof Long count) || count < 1) {
        throw ServingException.invalidArgument(
            "parameter 'classification' of output '"
                + name
                + "' takes a number of classes above 0, got "
                + given);
      }
      classes = count;
    }
    Object binary = parameters.get("binary_data");
    if (binary != null && !(binary instanceof Boolean)) {
      throw ServingException.invalidArgument(
          "parameter 'binary_data' of output '" + name + "' takes true or false, got " + binary);
    }
    return new RequestedOutput(name, classes, (Boolean) binary);
  }

  static List<String> names(List<RequestedOutput> outputs) {
    List<String> names = outputs.stream().map(RequestedOutput::name).toList();
    if (names.stream().distinct().count() != names.size()) {
      throw ServingException.invalidArgument("an output is asked for twice: " + names);
    }
    return names;
  }
}
