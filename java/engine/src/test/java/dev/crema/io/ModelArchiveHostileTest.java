package dev.crema.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelArchiveHostileTest {
  private static final byte[] STORED = zipOf(false);
  private static final byte[] DEFLATED = zipOf(true);

  private static Path scratch;

  @TempDir Path folder;

  /** A small model as we write it, or as a zip program packs it. */
  private static byte[] zipOf(boolean deflated) {
    try {
      Path dir = Files.createTempDirectory("zip");
      try {
        Map<String, Content> files = ModelArchiveTest.model(1);
        if (!deflated) {
          ModelArchive.write(dir.resolve("m.zip"), files);
          return Files.readAllBytes(dir.resolve("m.zip"));
        }
        ModelArchive.write(dir.resolve("m"), files);
        var packed = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(packed)) {
          for (String name : new String[] {"checksums.json", "model.json", "model.safetensors"}) {
            zip.putNextEntry(new ZipEntry(name));
            Files.copy(dir.resolve("m").resolve(name), zip);
          }
          zip.putNextEntry(new ZipEntry("curves.svg"));
          Files.copy(dir.resolve("m/curves.svg"), zip);
        }
        return packed.toByteArray();
      } finally {
        Temporaries.delete(dir);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path zip(byte[] bytes) throws IOException {
    return Files.write(folder.resolve("m.zip"), bytes);
  }

  private Path zip(String... names) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (String name : names) {
        zip.putNextEntry(new ZipEntry(name));
        zip.write(name.getBytes(StandardCharsets.UTF_8));
      }
    }
    return zip(bytes.toByteArray());
  }

  private static int find(byte[] bytes, int signature) {
    ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i + 4 <= bytes.length; i++) {
      if (b.getInt(i) == signature) {
        return i;
      }
    }
    throw new AssertionError("No such signature");
  }

  private static void refused(Path path, String... fault) {
    assertThatThrownBy(() -> ModelArchive.open(path).close())
        .isInstanceOf(CremaException.class)
        .hasMessageContaining(path.toString())
        .hasMessageContainingAll(fault);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"../evil", "a/../../evil", "/etc/passwd", "C:/x", "a\\..\\b", "..", "a\nb"})
  void namesThatLeadOutOfTheFolderAreRefused(String name) throws IOException {
    refused(zip("checksums.json", name), "leads out of the folder");
  }

  @Test
  void aNameThatStandsTwiceIsRefused() throws IOException {
    Path path = zip("modelA.json", "modelB.json");
    byte[] bytes = Files.readAllBytes(path);
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    refused(
        zip(text.replace("modelB", "modelA").getBytes(StandardCharsets.ISO_8859_1)),
        "'modelA.json' stands twice");
  }

  @Test
  void tooManyEntriesAreRefused() throws IOException {
    String[] names = new String[ZipReader.MAX_ENTRIES + 1];
    Arrays.setAll(names, i -> "f" + i);
    refused(zip(names), "claims 1001 entries");
  }

  @Test
  void aZipBombIsRefusedBeforeItIsUnpacked() throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      zip.setLevel(9);
      zip.putNextEntry(new ZipEntry("checksums.json"));
      byte[] zeros = new byte[1 << 20];
      for (int i = 0; i < 80; i++) {
        zip.write(zeros);
      }
    }
    refused(zip(bytes.toByteArray()), "unpacks to 83886080 bytes");
  }

  @Test
  void anEntryThatUnpacksToMoreThanItDeclaresIsRefused() throws IOException {
    byte[] bytes = DEFLATED.clone();
    ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int central = find(bytes, ZipWriter.CENTRAL);
    for (int wrong : new int[] {10, 100_000}) {
      b.putInt(central + 24, wrong);
      refused(zip(bytes), "declared");
    }
  }

  @Test
  void sizesOffsetsAndMethodsThatCannotBeAreRefused() throws IOException {
    int central = find(STORED, ZipWriter.CENTRAL);
    int end = find(STORED, ZipWriter.END);
    int[][] changes = { // offset, value of four bytes
      {central + 8, 0x0000_0001}, // encrypted
      {central + 10, 0x0000_000c}, // bzip2
      {central + 20, 0x7fff_ffff}, // packed size
      {central + 24, 17}, // size of a stored entry differs
      {central + 24, -1}, // zip64 without its field
      {central + 42, -1},
      {central + 42, 0x7fff_fff0}, // offset outside
      {central + 42, 3},
      {central + 28, 0x0000_ffff}, // name beyond the directory
      {end + 4, 1}, // second disk
      {end + 8, 0x0002_0002}, // fewer entries than there are
      {end + 8, 0x0009_0009}, // more
      {end + 8, 0xffff_ffff}, // zip64 end that is not there
      {end + 12, -2}, // size of the directory
      {end + 12, 0},
      {end + 16, 0}, // its offset
    };
    for (int[] change : changes) {
      byte[] bytes = STORED.clone();
      ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(change[0], change[1]);
      Path path = zip(bytes);
      assertThatThrownBy(() -> ModelArchive.open(path).close())
          .as("%d at %d", change[1], change[0])
          .isInstanceOf(CremaException.class)
          .hasMessageContaining(path.toString());
    }
  }

  @Test
  void entriesThatShareBytesAreRefused() throws IOException {
    byte[] bytes = STORED.clone();
    ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int first = find(bytes, ZipWriter.CENTRAL);
    b.putInt(first + 20, b.getInt(first + 20) + 1).putInt(first + 24, b.getInt(first + 24) + 1);
    refused(zip(bytes), "overlaps");
  }

  @Test
  void aZipCutShortAnywhereIsRefused() throws IOException {
    for (byte[] whole : new byte[][] {STORED, DEFLATED}) {
      for (int length = 0; length < whole.length; length++) {
        Path path = zip(Arrays.copyOf(whole, length));
        assertThatThrownBy(() -> ModelArchive.open(path))
            .as("first %d bytes", length)
            .isInstanceOf(CremaException.class);
      }
    }
  }

  @Test
  void anyChangedByteOfAFileIsNoticed() throws IOException {
    ModelArchive.write(folder.resolve("m"), ModelArchiveTest.model(1));
    for (String name : new String[] {"model.json", "model.safetensors", "curves.svg"}) {
      Path file = folder.resolve("m").resolve(name);
      byte[] good = Files.readAllBytes(file);
      byte[] bad = good.clone();
      bad[bad.length - 1] ^= 1;
      Files.write(file, bad);
      refused(folder.resolve("m"), file.toString(), "is damaged", "expected SHA-256", "got");
      Files.delete(file);
      refused(folder.resolve("m"), "lacks " + name);
      Files.write(file, good);
    }
    ModelArchive.open(folder.resolve("m")).close();
    Files.delete(folder.resolve("m/checksums.json"));
    refused(folder.resolve("m"), "lacks checksums.json");
  }

  @Test
  void sumsThatNameFilesElsewhereAreRefused() throws IOException {
    Path dir = Files.createDirectory(folder.resolve("m"));
    Files.writeString(folder.resolve("secret"), "abc");
    String sums = "{\"algorithm\":\"SHA-256\",\"files\":{\"../secret\":\"%s\"}}";
    Files.writeString(
        dir.resolve("checksums.json"), sums.formatted(Checksums.sha256(folder.resolve("secret"))));
    refused(dir, "'../secret' is no name");
  }

  @Test
  void whatIsNoModelSaysSo() throws IOException {
    refused(folder.resolve("none"), "There is no model at");
    refused(Files.writeString(folder.resolve("text"), "hello"), "no zip directory");
    refused(Files.createDirectory(folder.resolve("empty")), "lacks checksums.json");
    Path good = folder.resolve("good.zip");
    ModelArchive.write(good, Map.of("a.txt", Content.of("x")));
    try (ModelArchive archive = ModelArchive.open(good)) {
      assertThatThrownBy(archive::tensors)
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("has no file 'model.safetensors'; it has [a.txt]");
    }
  }

  @Property(tries = 3000)
  void aMutatedZipIsRefusedOrReadsAsSaved(
      @ForAll @Size(min = 1, max = 4) int[] places, @ForAll byte value, @ForAll boolean stored)
      throws IOException {
    byte[] bytes = (stored ? STORED : DEFLATED).clone();
    int directory = find(bytes, ZipWriter.CENTRAL);
    for (int place : places) {
      // Half of them strike the directory, where it hurts.
      int span = place % 2 == 0 ? bytes.length : bytes.length - directory;
      bytes[bytes.length - 1 - Math.floorMod(place >> 1, span)] = value;
    }
    if (scratch == null) {
      scratch = Files.createTempFile("fuzz", ".zip");
    }
    Files.write(scratch, bytes);
    try (ModelArchive archive = ModelArchive.open(scratch)) {
      for (String name : archive.names()) {
        try (InputStream in = archive.stream(name)) {
          in.readAllBytes();
        }
      }
      ModelArchiveTest.check(archive, 1);
    } catch (CremaException refused) {
      assertThat(refused).hasMessageContaining(scratch.toString());
    }
  }

  @AfterContainer
  static void deleteScratch() throws IOException {
    if (scratch != null) {
      Files.deleteIfExists(scratch);
    }
  }
}
