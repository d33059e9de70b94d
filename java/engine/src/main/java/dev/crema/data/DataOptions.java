package dev.crema.data;

import dev.crema.CremaException;
import dev.crema.memory.Shape;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * How files are read. Every option has a default that suits most files.
 *
 * @param label name, or number from 0, of the label column; null: a column named label, class,
 *     target or y, or else the last
 * @param validationSplit fraction of the training examples set apart, 0 for none
 * @param seed of the validation split
 * @param ignore columns left out, by name or number
 * @param categorical columns whose numbers are names of categories
 * @param header whether the first row holds names; null: found out
 * @param delimiter null: found out
 * @param skipBadRows count rows that can't be read and leave them out, instead of an exception
 * @param imageShape [height, width, channels] to bring images to; null: that of the first image
 * @param memoryLimit bytes up to which a table is kept in memory; a greater one is read from disk
 *     in every epoch
 * @param shuffleWindow most rows of the window in which streams are shuffled
 */
public record DataOptions(
    String label,
    Task task,
    double validationSplit,
    long seed,
    Set<String> ignore,
    Set<String> categorical,
    Boolean header,
    Character delimiter,
    boolean skipBadRows,
    Shape imageShape,
    long memoryLimit,
    int shuffleWindow) {

  private static final long MEMORY_LIMIT = 512L << 20;

  public DataOptions {
    ignore = Set.copyOf(ignore);
    categorical = Set.copyOf(categorical);
    if (validationSplit != 0) {
      Stratified.checkFraction(validationSplit);
    }
    if (imageShape != null && (imageShape.rank() != 3 || imageShape.elements() == 0)) {
      throw new CremaException(
          "An image has the shape [height, width, channels], got " + imageShape);
    }
    if (imageShape != null && imageShape.dim(2) != 1 && imageShape.dim(2) != 3) {
      throw new CremaException("An image has 1 channel or 3, got " + imageShape.dim(2));
    }
    if (shuffleWindow < 1) {
      throw new CremaException("A shuffle window has at least 1 row, got " + shuffleWindow);
    }
  }

  public static DataOptions defaults() {
    return builder().build();
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Collects options. */
  public static final class Builder {
    private String label;
    private Task task = Task.AUTO;
    private double validationSplit;
    private long seed;
    private final Set<String> ignore = new LinkedHashSet<>();
    private final Set<String> categorical = new LinkedHashSet<>();
    private Boolean header;
    private Character delimiter;
    private boolean skipBadRows;
    private Shape imageShape;
    private long memoryLimit = MEMORY_LIMIT;
    private int shuffleWindow = StreamDataset.WINDOW_ROWS;

    private Builder() {}

    public Builder label(String nameOrNumber) {
      label = nameOrNumber;
      return this;
    }

    public Builder task(Task value) {
      task = value;
      return this;
    }

    public Builder validationSplit(double fraction) {
      validationSplit = fraction;
      return this;
    }

    public Builder seed(long value) {
      seed = value;
      return this;
    }

    public Builder ignore(String... columns) {
      ignore.addAll(Set.of(columns));
      return this;
    }

    public Builder categorical(String... columns) {
      categorical.addAll(Set.of(columns));
      return this;
    }

    public Builder header(Boolean value) {
      header = value;
      return this;
    }

    public Builder delimiter(Character value) {
      delimiter = value;
      return this;
    }

    public Builder skipBadRows(boolean value) {
      skipBadRows = value;
      return this;
    }

    public Builder imageShape(Shape heightWidthChannels) {
      imageShape = heightWidthChannels;
      return this;
    }

    public Builder memoryLimit(long bytes) {
      memoryLimit = bytes;
      return this;
    }

    public Builder shuffleWindow(int rows) {
      shuffleWindow = rows;
      return this;
    }

    public DataOptions build() {
      return new DataOptions(
          label,
          task,
          validationSplit,
          seed,
          ignore,
          categorical,
          header,
          delimiter,
          skipBadRows,
          imageShape,
          memoryLimit,
          shuffleWindow);
    }
  }
}
