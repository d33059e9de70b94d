package dev.crema.data;

import dev.crema.CremaException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;

/** The rows of a delimited file that have the right number of fields, behind its header. */
final class CsvRecords implements AutoCloseable {
  private final CsvScanner scanner;
  private final CsvFormat format;
  private final BadRows badRows;

  private CsvRecords(CsvScanner scanner, CsvFormat format, BadRows badRows) {
    this.scanner = scanner;
    this.format = format;
    this.badRows = badRows;
  }

  static CsvRecords open(Path file, CsvFormat format, BadRows badRows) {
    try {
      InputFiles.Input in = InputFiles.open(file);
      CsvScanner scanner;
      try {
        InputStream text = TextEncoding.toUtf8(in.stream(), format.charset());
        scanner = new CsvScanner(text, file.toString(), format.delimiter());
      } catch (RuntimeException e) {
        in.close();
        throw e;
      }
      CsvRecords records = new CsvRecords(scanner, format, badRows);
      if (format.header()) {
        records.skipHeader();
      }
      return records;
    } catch (IOException e) {
      throw InputFiles.unreadable(file.toString(), e);
    }
  }

  private void skipHeader() {
    try {
      scanner.next();
    } catch (RuntimeException e) {
      scanner.close();
      throw e;
    }
  }

  /** Goes to the next good row; bad ones are reported. */
  boolean next() {
    int columns = format.names().size();
    while (true) {
      try {
        if (!scanner.next()) {
          return false;
        }
        int fields = scanner.fields();
        boolean trailing = fields == columns + 1 && scanner.start(columns) == scanner.end(columns);
        if (fields == columns || trailing) {
          return true;
        }
        throw new CremaException(
            scanner.where(scanner.line(), Math.min(fields, columns + 1))
                + ": expected "
                + columns
                + " columns, found "
                + fields
                + ". Correct the row, or leave such rows out with --skip-bad-rows.");
      } catch (CremaException e) {
        if (e.getCause() instanceof IOException) {
          throw e;
        }
        badRows.report(e);
      }
    }
  }

  CsvScanner row() {
    return scanner;
  }

  /** Says where in the current row something is, with the column's name. */
  String where(int column) {
    return scanner.where(scanner.line(), column + 1) + " (" + format.names().get(column) + ")";
  }

  @Override
  public void close() {
    scanner.close();
  }
}
