package dev.crema.data;

import dev.crema.CremaException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Decides what the columns of a table are, and learns from a survey how to encode them. */
final class TableLearner {
  private static final Set<String> ROW_NUMBERS =
      Set.of("id", "index", "row", "rowid", "row_id", "rownumber", "row_number", "unnamed: 0", "#");
  private static final long EXACT_INTEGERS = 1L << 53;
  private static final int FEW_CLASSES = 100;

  private static final int MOST_REASONS = 5; // in one message

  private final CsvSurvey survey;
  private final CsvFormat format;
  private final DataOptions options;
  private final String file;
  private final List<String> notes = new ArrayList<>();
  private final Map<Integer, String> reasons = new HashMap<>();

  TableLearner(CsvSurvey survey, DataOptions options) {
    this.survey = survey;
    this.format = survey.format();
    this.options = options;
    this.file = survey.file().toString();
  }

  List<String> notes() {
    return notes;
  }

  /**
   * What each column is.
   *
   * @throws CremaException if a column can't be used, naming all such columns
   */
  ColumnKind[] decide() {
    Set<Integer> categorical = format.columns(options.categorical(), file);
    ColumnKind[] kinds = new ColumnKind[format.names().size()];
    int used = 0;
    for (int c = 0; c < kinds.length; c++) {
      if (!survey.isLabel(c)) {
        kinds[c] = feature(c, categorical.contains(c));
        used += kinds[c] != ColumnKind.IGNORED ? 1 : 0;
      }
    }
    int[] labels = survey.labels();
    ColumnKind kind = labels.length == 1 ? target(labels[0]) : targets(labels);
    for (int c : labels) {
      kinds[c] = kind;
    }
    if (used == 0) {
      throw new CremaException(
          file
              + " has no column to learn from beside the label "
              + format.names().get(labels[0])
              + ". Is the delimiter '"
              + format.delimiter()
              + "' right?"
              + notUsed());
    }
    return kinds;
  }

  /** Why columns are not used; of many, the first few. */
  private String notUsed() {
    List<String> reasons = notes.stream().filter(note -> note.contains("not used")).toList();
    int more = reasons.size() - MOST_REASONS;
    return reasons.stream()
        .limit(MOST_REASONS)
        .map(note -> " " + note)
        .collect(Collectors.joining("", "", more > 0 ? " And " + more + " more." : ""));
  }

  private ColumnKind feature(int c, boolean categorical) {
    ColumnStatistics column = survey.column(c);
    String name = format.names().get(c);
    if (column == null) {
      reasons.put(c, "left out as asked");
      return ColumnKind.IGNORED;
    }
    if (column.allMissing()) {
      return ignored(c, "is empty");
    }
    if (categorical) {
      if (column.hasManyDistinct() && !column.hasFrequentTexts()) {
        throw new CremaException(
            file + ": Column " + name + " " + manyTexts(column) + ", too many for categories");
      }
      return ColumnKind.CATEGORICAL;
    }
    if (column.isConsecutive() && (isRowNumber(c) || isIdentifier(name))) {
      return ignored(c, "numbers the rows");
    }
    if (column.isInteger() && column.hasManyDistinct() && isIdentifier(name)) {
      return ignored(c, "identifies rows");
    }
    boolean numeric = column.isNumeric();
    if (column.isConstant() && (numeric || !column.hasMissing())) {
      return ignored(c, "holds the same value in every row");
    }
    if (numeric) {
      return column.reading() instanceof Dates ? dates(name, column) : ColumnKind.NUMERIC;
    }
    if (column.hasManyDistinct() && !column.hasFrequentTexts()) {
      return ignored(c, manyTexts(column));
    }
    if (column.isNearlyUnique()) {
      return ignored(c, "has a text of its own in most rows, such as " + column.exampleText());
    }
    return ColumnKind.CATEGORICAL;
  }

  private ColumnKind ignored(int c, String why) {
    notes.add("Column " + format.names().get(c) + " " + why + " and is not used.");
    reasons.put(c, why);
    return ColumnKind.IGNORED;
  }

  private static String manyTexts(ColumnStatistics column) {
    return "holds more than "
        + CsvSurvey.MOST_CATEGORIES
        + " different texts"
        + (column.texts() > 0 ? " such as " + column.exampleText() : "");
  }

  private ColumnKind dates(String name, ColumnStatistics column) {
    if (column.isAmbiguousDate()) {
      notes.add(
          "Column "
              + name
              + ": its dates could have day or month first; they are read as "
              + ((Dates) column.reading()).order()
              + ". Dates such as 2024-12-31 are sure.");
    }
    return ColumnKind.DATE;
  }

  /** Whether a name is "id" or ends in it as a word of its own, as in user_id or PassengerId. */
  private static boolean isIdentifier(String name) {
    return name.matches("(?i:id|.*[_\\s.-]id)|.*\\p{Ll}I[dD]");
  }

  private boolean isRowNumber(int c) {
    String name = format.names().get(c);
    boolean unnamed = format.header() && name.equals("c" + c);
    return unnamed || ROW_NUMBERS.contains(name.toLowerCase(Locale.ROOT));
  }

  /** Several labels: all of two values (a yes-or-no answer each), or all numbers. */
  private ColumnKind targets(int[] labels) {
    boolean answers = options.task() != Task.REGRESSION;
    boolean numbers = options.task() != Task.CLASSIFICATION;
    List<String> found = new ArrayList<>();
    for (int c : labels) {
      ColumnStatistics column = survey.column(c);
      int distinct = column.hasManyDistinct() ? column.distinctCount() : classNames(column).size();
      answers &= distinct == 2;
      numbers &= column.isNumeric();
      String example = column.texts() > 0 ? " such as " + column.exampleText() : "";
      found.add(format.names().get(c) + " has " + distinct + " different values" + example);
    }
    String names = names(labels);
    if (answers) {
      notes.add("Labels: columns " + names + ", two values each (multi-label).");
      return ColumnKind.LABEL;
    }
    if (numbers) {
      notes.add("Labels: columns " + names + ", numbers (regression).");
      return ColumnKind.VALUE;
    }
    throw new CremaException(
        file
            + ": several label columns must have two different values each, or all be numbers; "
            + String.join(", ", found));
  }

  private String names(int[] columns) {
    return Arrays.stream(columns)
        .mapToObj(c -> format.names().get(c))
        .collect(Collectors.joining(", "));
  }

  private ColumnKind target(int label) {
    ColumnStatistics column = survey.column(label);
    String name = format.names().get(label);
    if (column.allMissing()) {
      throw new CremaException(file + ": the label column " + name + " is empty");
    }
    boolean classes =
        switch (options.task()) {
          case CLASSIFICATION -> true;
          case REGRESSION -> false;
          case AUTO -> column.looksLikeClasses();
        };
    if (!classes) {
      if (column.values() == column.texts()) {
        throw new CremaException(
            file
                + ": the label column "
                + name
                + " holds text such as "
                + column.exampleText()
                + ", so this can't be a regression");
      }
      notes.add("Label: column " + name + ", numbers (regression).");
      return ColumnKind.VALUE;
    }
    int n = column.distinctCount();
    if (column.hasManyDistinct() || n > FEW_CLASSES && 2L * n > column.values()) {
      throw new CremaException(
          file
              + ": the label column "
              + name
              + " has "
              + (column.hasManyDistinct() ? "more than " : "")
              + n
              + " different values in "
              + column.values()
              + " rows"
              + (column.texts() > 0 ? ", such as " + column.exampleText() : "")
              + ": too many for classes, and not all are numbers of one unit. Name the label with"
              + " --label, or correct its values.");
    }
    if (n < 2) {
      throw new CremaException(
          file
              + ": every row has the label "
              + column.distinctTexts().get(0)
              + " in column "
              + name
              + ". Name the label with --label if it is another column.");
    }
    boolean numbers = column.texts() == 0 && n > 2 && options.task() == Task.AUTO;
    notes.add(
        "Label: column "
            + name
            + ", "
            + classNames(column).size()
            + " classes."
            + (numbers ? " To predict it as a number: --task regression." : ""));
    return ColumnKind.CLASSES;
  }

  /** The encoding of every column, with what the training rows of {@code learnt} tell. */
  TablePreprocessing learn(ColumnKind[] kinds, CsvSurvey learnt) {
    List<TablePreprocessing.Column> columns = new ArrayList<>();
    List<TablePreprocessing.Target> targets = new ArrayList<>();
    for (int c = 0; c < kinds.length; c++) {
      String name = format.names().get(c);
      ColumnStatistics column = learnt.column(c);
      switch (kinds[c]) {
        case IGNORED -> columns.add(new TablePreprocessing.Ignored(name));
        case NUMERIC ->
            columns.add(
                new TablePreprocessing.Numeric(
                    name, column.read().mean(), column.read().deviation(), figures(column)));
        case DATE -> columns.add(date(name, column.read()));
        case CATEGORICAL ->
            columns.add(
                new TablePreprocessing.Categorical(
                    name,
                    column.trainTexts().stream().distinct().sorted().toList(),
                    column.missesInTraining()));
        case CLASSES, LABEL, VALUE -> {} // below, in the order in which they were asked for
      }
    }
    for (int c : survey.labels()) {
      targets.add(target(kinds[c], c, learnt.column(c)));
    }
    return new TablePreprocessing(columns, targets, format.header());
  }

  private TablePreprocessing.Target target(ColumnKind kind, int c, ColumnStatistics column) {
    String name = format.names().get(c);
    return switch (kind) {
      case CLASSES -> new TablePreprocessing.Classes(name, c, classNames(column));
      case LABEL -> new TablePreprocessing.Label(name, c, classNames(column));
      default ->
          new TablePreprocessing.Value(
              name, c, column.read().mean(), column.read().deviation(), figures(column));
    };
  }

  /** Null if the numbers are plain ones. */
  private Figures figures(ColumnStatistics column) {
    Figures figures = (Figures) column.reading();
    boolean plain = !column.read().isWritten() && figures.decimal() == format.decimal();
    return plain ? null : figures;
  }

  /**
   * Cycles that the training rows go through at least twice, for less can't be told from the days
   * themselves; of a day only where there are times.
   */
  private static TablePreprocessing.Date date(String name, NumberStatistics days) {
    List<Cycle> cycles =
        Arrays.stream(Cycle.values())
            .filter(cycle -> cycle != Cycle.DAY || days.isBetweenDays())
            .filter(cycle -> days.span() >= 2 * cycle.days())
            .toList();
    DateOrder order = ((Dates) days.reading()).order();
    return new TablePreprocessing.Date(name, order, days.mean(), days.deviation(), cycles);
  }

  /** What was done with each column, in the order of the file. */
  List<ColumnUse> uses(TablePreprocessing table) {
    return new ColumnUses(survey, reasons).of(table);
  }

  private static List<String> classNames(ColumnStatistics column) {
    List<String> names =
        column.distinctTexts().stream().map(TableLearner::className).distinct().sorted().toList();
    boolean numbers = names.stream().noneMatch(name -> Double.isNaN(Numbers.parse(name)));
    return numbers
        ? names.stream().sorted(Comparator.comparingDouble(Numbers::parse)).toList()
        : names;
  }

  /** The name of a label's class: "1", "1.0" and "01" are the same one. */
  static String className(String label) {
    double value = Numbers.parse(label);
    boolean integer = value == Math.rint(value) && Math.abs(value) < EXACT_INTEGERS;
    return integer ? Long.toString((long) value) : label;
  }
}
