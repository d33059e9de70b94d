package dev.crema.data;

import dev.crema.CremaException;
import dev.crema.memory.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tables in delimited text files (RFC 4180, and what is found in the wild), gzip or not.
 *
 * <p>A file is first surveyed in bounded memory. If its rows fit the options' memory limit they are
 * kept encoded; otherwise they are read from disk and encoded anew in every epoch, and shuffled
 * within a window. The validation part is stratified in memory and goes by a hash of the row's
 * bytes on disk; statistics are learnt from the other rows only.
 */
public final class Csv {
  private static final Logger LOG = LoggerFactory.getLogger(Csv.class);

  private Csv() {}

  /**
   * Opens a file to train with.
   *
   * @throws CremaException if it can't be read, naming file, line and column
   */
  public static LoadedData open(Path file, DataOptions options) {
    CsvFormat format = CsvSniffer.sniff(file, options);
    String name = file.toString();
    if (format.names().isEmpty()) {
      throw new CremaException(
          name + ": no row could be read, so there are no columns. Is a quote left open?");
    }
    int[] labels = format.labels(options.label(), name);
    Set<Integer> ignored = format.columns(options.ignore(), name);
    for (int label : labels) {
      if (ignored.contains(label)) {
        throw new CremaException(
            name + ": column " + format.names().get(label) + " is the label and can't be ignored");
      }
    }
    CsvSurvey first = CsvSurvey.first(file, format, labels, ignored, options);
    if (first.rows() == 0) {
      throw new CremaException(
          name + " has no rows" + (format.header() ? " below its header" : ""));
    }
    TableLearner learner = new TableLearner(first, options);
    ColumnKind[] kinds = learner.decide();
    boolean inMemory = fits(first, learner.learn(kinds, first), options);
    CsvSurvey.Membership membership = membership(first, kinds[labels[0]], inMemory, options);
    BadRows badRows = new BadRows(options.skipBadRows());
    boolean again = !inMemory || options.validationSplit() > 0 || first.hasBadValues(kinds);
    CsvSurvey second = again ? CsvSurvey.second(first, kinds, membership, badRows) : first;
    if (second.rows() == second.validationRows()) {
      throw new CremaException(name + " has no rows to train with; all are bad or set apart");
    }
    TablePreprocessing table = learner.learn(kinds, second);
    List<ColumnUse> uses = learner.uses(table);
    CsvSource.Plan plan = plan(file, format, table);
    List<String> notes = new ArrayList<>(learner.notes());
    if (!inMemory) {
      notes.add("The table is read from disk in every epoch.");
      noteBadRows(notes, badRows.count());
      return streamed(plan, second, options, notes, badRows, uses);
    }
    // Bad rows are logged by the first pass that knows what the columns hold.
    BadRows counted = again ? BadRows.again(options.skipBadRows()) : badRows;
    BitSet validation = new BitSet();
    IndexedDataset all = read(plan, second.rows(), counted, membership, validation);
    noteBadRows(notes, all.badRows());
    if (options.validationSplit() == 0) {
      return new LoadedData(all, null, null, table, notes, all.badRows(), uses);
    }
    int[] train = IntStream.range(0, (int) all.size()).filter(i -> !validation.get(i)).toArray();
    return new LoadedData(
        all.subset(train),
        all.subset(validation.stream().toArray()),
        null,
        table,
        notes,
        all.badRows(),
        uses);
  }

  private static void noteBadRows(List<String> notes, long count) {
    if (count > 0) {
      notes.add(count + " bad rows were left out.");
    }
  }

  /**
   * Opens a file for a model that is trained already. Columns are found by name, or by place if the
   * training file or this one has no header; without a label column the dataset has no target.
   */
  public static Dataset open(Path file, TablePreprocessing table, DataOptions options) {
    return open(file, table, options, true);
  }

  /**
   * As {@link #open(Path, TablePreprocessing, DataOptions)}.
   *
   * @param targets whether targets that the file has are read
   */
  static Dataset open(Path file, TablePreprocessing table, DataOptions options, boolean targets) {
    CsvFormat format = format(file, table, options);
    CsvSource.Plan found = plan(file, format, table);
    CsvSource.Plan plan = targets ? found : found.withoutTargets();
    BadRows badRows = new BadRows(options.skipBadRows());
    if (fits(file, table, options)) {
      IndexedDataset all = read(plan, 0, badRows, null, new BitSet());
      if (plan.unseen().get() > 0) {
        LOG.warn(
            "{}: {} values are categories that the model doesn't know; they count as zeros",
            file,
            plan.unseen());
      }
      return all;
    }
    return StreamDataset.of(
        inputs(table),
        target(plan),
        !plan.isLabelled() ? List.of() : table.classNames(),
        () -> new CsvSource(plan, badRows, true),
        -1,
        List.of(),
        options.shuffleWindow(),
        badRows);
  }

  /** Whether a file's encoded rows should fit memory, judged by its size alone. */
  private static boolean fits(Path file, TablePreprocessing table, DataOptions options) {
    long limit = Math.min(options.memoryLimit(), Runtime.getRuntime().maxMemory() / 8);
    try (InputFiles.Input in = InputFiles.open(file)) {
      // Deflate makes tables about eight times smaller.
      long text = in.exact() ? in.limit() : 8 * Files.size(file);
      return text <= limit / Math.max(1, table.width() / Math.max(1, table.columns().size()));
    } catch (IOException e) {
      throw InputFiles.unreadable(file.toString(), e);
    }
  }

  private static CsvFormat format(Path file, TablePreprocessing table, DataOptions options) {
    if (options.header() != null) {
      return CsvSniffer.sniff(file, options);
    }
    CsvFormat named = CsvSniffer.sniff(file, options, true);
    boolean known = table.fileColumns().stream().anyMatch(name -> named.find(name) >= 0);
    return table.header() && known ? named : CsvSniffer.sniff(file, options, false);
  }

  /** Finds the table's columns in a file. */
  private static CsvSource.Plan plan(Path file, CsvFormat format, TablePreprocessing table) {
    int n = table.columns().size();
    int[] columns = new int[n];
    int found = format.names().size();
    int targets = table.targets().size();
    if (table.header() && format.header()) {
      for (int i = 0; i < n; i++) {
        TablePreprocessing.Column column = table.columns().get(i);
        columns[i] = format.find(column.name());
        if (columns[i] < 0 && column.width() > 0) {
          throw new CremaException(
              file + " has no column " + column.name() + ", which the model needs");
        }
      }
      int[] labels = table.targets().stream().mapToInt(t -> format.find(t.name())).toArray();
      boolean all = Arrays.stream(labels).allMatch(c -> c >= 0);
      return CsvSource.Plan.of(file, format, table, columns, all ? labels : new int[0]);
    }
    if (found != n && found != n + targets) {
      throw new CremaException(
          file
              + " has "
              + found
              + " columns and no header that the model knows; expected "
              + n
              + " without the label or "
              + (n + targets)
              + " with it: "
              + table.fileColumns());
    }
    if (found == n) {
      Arrays.setAll(columns, i -> i);
      return CsvSource.Plan.of(file, format, table, columns, new int[0]);
    }
    columns = IntStream.range(0, found).filter(c -> !table.isTarget(c)).toArray();
    int[] labels = table.targets().stream().mapToInt(TablePreprocessing.Target::position).toArray();
    return CsvSource.Plan.of(file, format, table, columns, labels);
  }

  private static boolean fits(CsvSurvey survey, TablePreprocessing table, DataOptions options) {
    long rowBytes = 4L * (table.width() + 1);
    long limit = Math.min(options.memoryLimit(), Runtime.getRuntime().maxMemory() / 4);
    return survey.bytes() <= options.memoryLimit()
        && survey.rows() <= limit / rowBytes
        && survey.rows() * (long) table.width() < Integer.MAX_VALUE - 8;
  }

  private static CsvSurvey.Membership membership(
      CsvSurvey survey, ColumnKind label, boolean inMemory, DataOptions options) {
    double fraction = options.validationSplit();
    if (fraction == 0) {
      return (ordinal, row) -> false;
    }
    if (!inMemory) {
      StreamDataset.Part part = new StreamDataset.Part(options.seed(), 0, fraction);
      return (ordinal, row) -> part.contains(row.hash());
    }
    int[] classes = new int[(int) survey.rows()];
    if (label == ColumnKind.CLASSES) {
      int[] ids = survey.labelIds();
      Arrays.setAll(classes, i -> ids[i] + 1);
    }
    BitSet chosen = Stratified.validation(classes, fraction, options.seed());
    return (ordinal, row) -> chosen.get((int) ordinal);
  }

  private static LoadedData streamed(
      CsvSource.Plan plan,
      CsvSurvey survey,
      DataOptions options,
      List<String> notes,
      BadRows badRows,
      List<ColumnUse> uses) {
    double fraction = options.validationSplit();
    long validationRows = survey.validationRows();
    Dataset train = stream(plan, options, fraction, 1, survey.rows() - validationRows);
    Dataset validation = fraction == 0 ? null : stream(plan, options, 0, fraction, validationRows);
    return new LoadedData(train, validation, null, plan.table(), notes, badRows.count(), uses);
  }

  private static Dataset stream(
      CsvSource.Plan plan, DataOptions options, double from, double to, long size) {
    boolean whole = from == 0 && to == 1;
    List<StreamDataset.Part> parts =
        whole ? List.of() : List.of(new StreamDataset.Part(options.seed(), from, to));
    // The survey has counted and logged the bad rows; further passes leave them out in silence.
    return StreamDataset.of(
        inputs(plan.table()),
        target(plan),
        plan.table().classNames(),
        () -> new CsvSource(plan, BadRows.again(options.skipBadRows()), true),
        size,
        parts,
        options.shuffleWindow(),
        BadRows.again(options.skipBadRows()));
  }

  private static IndexedDataset read(
      CsvSource.Plan plan,
      long expected,
      BadRows badRows,
      CsvSurvey.Membership membership,
      BitSet validation) {
    CsvTable rows = new CsvTable(plan, Math.max(16, expected));
    try (CsvSource source = new CsvSource(plan, badRows, false)) {
      RowSource.Row row = new RowSource.Row(inputs(plan.table()), targets(plan));
      while (source.next(row)) {
        if (membership != null && membership.isValidation(source.ordinal(), null)) {
          validation.set(rows.size());
        }
        rows.add(row);
      }
    }
    return rows.dataset(inputs(plan.table()), target(plan), badRows);
  }

  private static List<Dataset.Slot> inputs(TablePreprocessing table) {
    return List.of(Slots.input(Shape.of(table.width())));
  }

  private static List<Dataset.Slot> targets(CsvSource.Plan plan) {
    return TargetSlots.of(target(plan), List.of()).slots();
  }

  private static Dataset.Slot target(CsvSource.Plan plan) {
    if (!plan.isLabelled()) {
      return null;
    }
    return plan.table().target() instanceof TablePreprocessing.Classes
        ? Slots.classTarget()
        : Slots.valueTarget(plan.table().targets().stream().map(Csv::described).toList());
  }

  private static Dataset.Value described(TablePreprocessing.Target target) {
    return target instanceof TablePreprocessing.Value v
        ? new Dataset.Value(v.name(), v.mean(), v.deviation())
        : new Dataset.Value(target.name(), 0, 1);
  }
}
