package dev.crema.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Files go to and come from an independent reader and writer: the {@code safetensors} package where
 * python3 has it, else thirty lines after the format's description.
 */
class SafetensorsPythonTest {
  private static final String SCRIPT =
      """
      import json, struct, sys

      def read(path):
          try:
              from safetensors import deserialize, safe_open
              found = {name: (t["dtype"], t["shape"], bytes(t["data"]))
                       for name, t in deserialize(open(path, "rb").read())}
              try:
                  meta = safe_open(path, framework="np").metadata()
              except ImportError:
                  meta = None
              return found, meta, "safetensors package"
          except ImportError:
              raw = open(path, "rb").read()
              n, = struct.unpack("<Q", raw[:8])
              header = json.loads(raw[8:8 + n].decode("utf-8"))
              meta, data = header.pop("__metadata__", {}), raw[8 + n:]
              found, end = {}, 0
              for name, t in sorted(header.items(), key=lambda e: e[1]["data_offsets"]):
                  begin, stop = t["data_offsets"]
                  assert begin == end
                  found[name], end = (t["dtype"], t["shape"], data[begin:stop]), stop
              assert end == len(data)
              return found, meta, "format description"

      def write(path, tensors, meta):
          header, data = {"__metadata__": meta}, b""
          for name, (dtype, shape, payload) in tensors.items():
              header[name] = {"dtype": dtype, "shape": shape,
                              "data_offsets": [len(data), len(data) + len(payload)]}
              data += payload
          text = json.dumps(header).encode()
          open(path, "wb").write(struct.pack("<Q", len(text)) + text + data)

      tensors, meta, how = read(sys.argv[1])
      assert meta is None or meta == {"who": "crema", "größe": "1"}, meta
      assert sorted(tensors) == ["empty", "i8", "schicht.größe", "w"], tensors
      assert list(tensors["w"][1]) == [2, 1] and tensors["w"][0] == "F32"
      assert struct.unpack("<2f", tensors["w"][2]) == (0.5, -3.0)
      assert tensors["i8"][2] == bytes([1, 255, 3]) and tensors["empty"][2] == b""
      write(sys.argv[2], {"z": ("BF16", [3], b"\\x80\\x3f\\x00\\x40\\x40\\x40"),
                          "n": ("I64", [], struct.pack("<q", -7))}, {"from": "python"})
      try:
          import numpy
          from safetensors.numpy import save_file
          save_file({"h": numpy.array([1, 2], numpy.float16), "z": numpy.zeros((0, 2), numpy.int8)},
                    sys.argv[2] + ".np", {"from": "numpy"})
      except ImportError:
          pass
      print(how)
      """;

  @TempDir Path folder;

  @Test
  void pythonReadsWhatWeWriteAndWeReadWhatPythonWrites() throws Exception {
    String python = System.getenv().getOrDefault("CREMA_TEST_PYTHON", "python3");
    assumeTrue(runs(python), () -> "Skipped: " + python + " does not run on this machine");
    Path ours = folder.resolve("ours.safetensors");
    Path theirs = folder.resolve("theirs.safetensors");
    ByteBuffer w = ByteBuffer.allocateDirect(8).order(ByteOrder.LITTLE_ENDIAN);
    w.putFloat(0.5f).putFloat(-3f).flip();
    ByteBuffer bytes = ByteBuffer.wrap(new byte[] {1, -1, 3});
    ByteBuffer none = ByteBuffer.allocate(0);
    Safetensors.write(
        ours,
        List.of(
            NamedTensor.of("i8", ElementType.INT8, Shape.of(3), bytes),
            NamedTensor.of("empty", ElementType.INT64, Shape.of(0, 4), none),
            NamedTensor.of("w", ElementType.FLOAT32, Shape.of(2, 1), w),
            NamedTensor.of("schicht.größe", ElementType.BOOL, Shape.of(3), bytes)),
        Map.of("who", "crema", "größe", "1"));

    Path script = Files.writeString(folder.resolve("check.py"), SCRIPT);
    Path output = folder.resolve("output");
    Process p =
        new ProcessBuilder(python, "-X", "utf8", script.toString(), ours.toString(), theirs + "")
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    assertThat(p.waitFor(5, TimeUnit.MINUTES)).isTrue();
    String said = Files.readString(output, StandardCharsets.UTF_8);
    assertThat(p.exitValue()).as(said).isZero();

    try (Safetensors read = Safetensors.open(theirs)) {
      assertThat(read.metadata()).isEqualTo(Map.of("from", "python"));
      assertThat(read.tensor("z").type()).isEqualTo(ElementType.BFLOAT16);
      assertThat(read.view("z").getShort(2)).isEqualTo((short) 0x4000);
      assertThat(read.tensor("n").shape()).isEqualTo(Shape.of());
      ByteBuffer n = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
      read.read("n", n);
      assertThat(n.getLong(0)).isEqualTo(-7);
    }
    Path numpy = folder.resolve("theirs.safetensors.np");
    if (said.contains("safetensors package") && Files.exists(numpy)) {
      try (Safetensors read = Safetensors.open(numpy)) {
        assertThat(read.metadata()).isEqualTo(Map.of("from", "numpy"));
        assertThat(read.tensor("z").shape()).isEqualTo(Shape.of(0, 2));
        assertThat(read.view("h").getShort(2)).isEqualTo((short) 0x4000);
      }
    }
  }

  private static boolean runs(String python) throws InterruptedException {
    try {
      return new ProcessBuilder(python, "--version").start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
  }
}
