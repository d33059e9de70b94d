package dev.crema.data;

import dev.crema.CremaException;
import java.nio.charset.Charset;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/**
 * How one delimited file is written.
 *
 * @param header whether the first row holds the names
 * @param names of the columns in file order; "c0", "c1", … where there is no header
 * @param decimal the decimal point, '.' or ','
 */
record CsvFormat(
    char delimiter, boolean header, List<String> names, char decimal, Charset charset) {
  private static final List<String> LABELS = List.of("label", "class", "target", "y");

  CsvFormat {
    names = List.copyOf(names);
  }

  /** Column of that name, in whatever case, or of that number (from 0, or from -1 at the end). */
  int column(String nameOrNumber, String file) {
    int found = find(nameOrNumber);
    if (found < 0 && nameOrNumber.matches("-?\\d{1,6}")) {
      int number = Integer.parseInt(nameOrNumber);
      found = number < 0 ? number + names.size() : number;
    }
    if (found < 0 || found >= names.size()) {
      throw new CremaException(
          file + " has no column " + nameOrNumber + "; its columns are " + shown());
    }
    return found;
  }

  /** Column of that name, or -1. */
  int find(String name) {
    int exact = names.indexOf(name);
    for (int i = 0; exact < 0 && i < names.size(); i++) {
      exact = names.get(i).equalsIgnoreCase(name) ? i : -1;
    }
    return exact;
  }

  /**
   * The label columns that a user names: one, or several with commas between them; the default if
   * null.
   */
  int[] labels(String namesOrNumbers, String file) {
    if (namesOrNumbers == null) {
      return new int[] {defaultLabel()};
    }
    if (find(namesOrNumbers) >= 0 || !namesOrNumbers.contains(",")) {
      return new int[] {column(namesOrNumbers, file)};
    }
    int[] columns =
        Arrays.stream(namesOrNumbers.split(",")).mapToInt(n -> column(n.strip(), file)).toArray();
    if (Arrays.stream(columns).distinct().count() < columns.length) {
      throw new CremaException(file + ": a label column is named twice in " + namesOrNumbers);
    }
    return columns;
  }

  Set<Integer> columns(Set<String> namesOrNumbers, String file) {
    Set<Integer> columns = new TreeSet<>();
    namesOrNumbers.forEach(name -> columns.add(column(name, file)));
    return columns;
  }

  /** The column named like a label, or else the last. */
  int defaultLabel() {
    for (String label : LABELS) {
      int column = find(label);
      if (column >= 0) {
        return column;
      }
    }
    return names.size() - 1;
  }

  static boolean isLabelName(String name) {
    return LABELS.contains(name.toLowerCase(Locale.ROOT));
  }

  private String shown() {
    return names.size() <= 30
        ? names.toString()
        : names.subList(0, 30) + " and " + (names.size() - 30) + " more";
  }
}
