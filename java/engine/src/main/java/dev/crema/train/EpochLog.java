package dev.crema.train;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.io.AtomicFiles;
import dev.crema.io.Content;
import dev.crema.io.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.StringJoiner;

/**
 * Writes a line for each epoch to a file: its number, its seconds, its metrics. Each line reaches
 * the disk before the next epoch begins. The file holds what the training's history holds: a new
 * training begins it anew, a resumed one goes on after the epochs of its checkpoint, none twice.
 */
public final class EpochLog implements Callback {
  private static final String EPOCH = "epoch";
  private static final String SECONDS = "seconds";

  private final Path file;
  private final boolean json;
  private final Set<String> columns = new LinkedHashSet<>();
  private FileChannel out;

  private EpochLog(Path file, boolean json) {
    this.file = file;
    this.json = json;
  }

  /** Comma-separated values below a header (RFC 4180), as of Keras's CSVLogger. */
  public static EpochLog csv(Path file) {
    return new EpochLog(file, false);
  }

  /** A JSON object a line; numbers that are not finite are null. */
  public static EpochLog json(Path file) {
    return new EpochLog(file, true);
  }

  /**
   * By the end of the file's name: .csv, or .jsonl or .json.
   *
   * @throws CremaException if it is another
   */
  public static EpochLog of(Path file) {
    String name = file.toString().toLowerCase(Locale.ROOT);
    if (name.endsWith(".csv")) {
      return csv(file);
    }
    if (name.endsWith(".jsonl") || name.endsWith(".json")) {
      return json(file);
    }
    throw new CremaException("A log is a .csv or a .jsonl file, got " + file);
  }

  @Override
  public void onTrainingBegin(Training training) {
    columns.clear();
    training.history().epochs().forEach(e -> columns.addAll(e.metrics().keySet()));
    rewrite(training.history().epochs());
  }

  @Override
  public void onEpochEnd(Training training, History.Epoch epoch) {
    if (columns.addAll(epoch.metrics().keySet()) && !json) {
      rewrite(training.history().epochs()); // the header changes
    } else {
      append(line(epoch));
    }
  }

  @Override
  public void onTrainingEnd(Training training) {
    close();
  }

  private void rewrite(List<History.Epoch> epochs) {
    close();
    StringBuilder text = new StringBuilder(json || columns.isEmpty() ? "" : header());
    epochs.forEach(e -> text.append(line(e)));
    AtomicFiles.write(file, Content.of(text.toString()));
    try {
      out = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private void append(String line) {
    ByteBuffer bytes = ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8));
    long before = -1;
    try {
      before = out.size();
      while (bytes.hasRemaining()) {
        out.write(bytes);
      }
      out.force(false);
    } catch (IOException e) {
      CremaException failed = failed(e);
      cutOff(before, failed);
      throw failed;
    }
  }

  /** Leaves no part of a line in the file. */
  private void cutOff(long size, CremaException why) {
    try {
      if (size >= 0) {
        out.truncate(size);
      }
    } catch (IOException e) {
      why.addSuppressed(e);
    }
  }

  private String header() {
    StringJoiner names = new StringJoiner(",", "", "\n").add(EPOCH).add(SECONDS);
    columns.forEach(c -> names.add(quoted(c)));
    return names.toString();
  }

  private String line(History.Epoch epoch) {
    return json ? object(epoch) : row(epoch);
  }

  private String row(History.Epoch epoch) {
    StringJoiner row = new StringJoiner(",", "", "\n");
    row.add(Integer.toString(epoch.epoch())).add(Double.toString(epoch.seconds()));
    for (String column : columns) {
      Double value = epoch.metrics().get(column);
      row.add(value == null ? "" : value.toString());
    }
    return row.toString();
  }

  private static String object(History.Epoch epoch) {
    ObjectNode object = Json.mapper().createObjectNode();
    object.put(EPOCH, epoch.epoch()).put(SECONDS, epoch.seconds());
    epoch
        .metrics()
        .forEach((name, value) -> object.put(name, Double.isFinite(value) ? value : null));
    return object + "\n";
  }

  private static String quoted(String text) {
    return text.matches("[^,\"\r\n]*") ? text : '"' + text.replace("\"", "\"\"") + '"';
  }

  private CremaException failed(IOException e) {
    return new CremaException("Cannot write the log " + file + ": " + e.getMessage(), e);
  }

  private void close() {
    if (out == null) {
      return;
    }
    try {
      out.close();
    } catch (IOException e) {
      throw failed(e);
    } finally {
      out = null;
    }
  }
}
