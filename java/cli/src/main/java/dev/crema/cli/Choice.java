package dev.crema.cli;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Reads an option with choices. They are written as in {@code min-max}, of which MIN_MAX is the
 * constant; capitals and underscores are understood, too.
 */
record Choice<E extends Enum<E>>(Class<E> type) implements ITypeConverter<E> {
  /** For all options of these commands. */
  static void addTo(CommandLine line) {
    for (CommandLine.Model.ArgSpec argument : line.getCommandSpec().args()) {
      for (Class<?> type : argument.auxiliaryTypes()) {
        if (type.isEnum()) add(line, type.asSubclass(Enum.class));
      }
    }
    line.getSubcommands().values().forEach(Choice::addTo);
  }

  @SuppressWarnings({"unchecked", "rawtypes"}) // a class of an enum that is not known here
  private static void add(CommandLine line, Class<? extends Enum> type) {
    line.registerConverter((Class) type, new Choice(type));
  }

  @Override
  public E convert(String value) {
    String wanted = written(value);
    for (E constant : type.getEnumConstants()) {
      if (written(constant.name()).equals(wanted)) return constant;
    }
    throw new TypeConversionException(
        Arrays.stream(type.getEnumConstants())
            .map(constant -> written(constant.name()))
            .collect(Collectors.joining(", ", "expected one of [", "] but was '" + value + "'")));
  }

  private static String written(String name) {
    return name.toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
