package dev.crema.cli;

import java.util.Collection;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** Refuses options that would be of no effect beside others, as wrong use. */
final class Usage {
  private Usage() {}

  /**
   * @param options of which none may have been given
   * @param why such as "has no effect with --sensitivity"
   * @throws ParameterException if one was given
   */
  static void refuse(CommandSpec spec, Collection<String> options, String why) {
    for (String option : options) {
      if (given(spec, option)) {
        throw new ParameterException(spec.commandLine(), option + " " + why);
      }
    }
  }

  static boolean given(CommandSpec spec, String option) {
    return spec.commandLine().getParseResult().hasMatchedOption(option);
  }
}
