package dev.crema.data;

import dev.crema.CremaException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Encodes rows of named values as a table's preprocessing says. */
final class TableRowEncoder implements RowEncoder {
  private static final Logger LOG = LoggerFactory.getLogger(TableRowEncoder.class);

  private final Map<String, FieldCoder> coders = new LinkedHashMap<>();
  private final AtomicLong unseen = new AtomicLong();
  private final int width;

  TableRowEncoder(TablePreprocessing table) {
    int offset = 0;
    for (TablePreprocessing.Column column : table.columns()) {
      FieldCoder coder = FieldCoder.of(column, offset, '.', unseen);
      if (coder != null) {
        coders.put(column.name(), coder);
      }
      offset += column.width();
    }
    this.width = offset;
  }

  @Override
  public void encode(Map<String, String> row, float[] out, int at) {
    Arrays.fill(out, at, at + width, 0);
    long before = unseen.get();
    for (Map.Entry<String, FieldCoder> entry : coders.entrySet()) {
      String name = entry.getKey();
      if (!row.containsKey(name)) {
        throw new CremaException(
            "Column "
                + name
                + " is missing; the model needs "
                + coders.keySet()
                + ", got "
                + row.keySet());
      }
      String value = row.get(name);
      byte[] bytes = value == null ? new byte[0] : value.strip().getBytes(StandardCharsets.UTF_8);
      if (!entry.getValue().encode(bytes, 0, bytes.length, out, at)) {
        throw new CremaException(
            "Column "
                + name
                + ": expected "
                + entry.getValue().expected()
                + ", found "
                + Quote.of(bytes, 0, bytes.length));
      }
      if (before == 0 && unseen.get() == 1) {
        before = 1;
        LOG.warn(
            "Column {}: {} is a category that the model doesn't know; such values are"
                + " encoded as zeros and counted",
            name,
            Quote.of(bytes, 0, bytes.length));
      }
    }
  }

  @Override
  public float[] encode(Map<String, String> row) {
    float[] out = new float[width];
    encode(row, out, 0);
    return out;
  }

  @Override
  public long unseen() {
    return unseen.get();
  }
}
