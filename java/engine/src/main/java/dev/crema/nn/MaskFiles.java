package dev.crema.nn;

import dev.crema.CremaException;
import dev.crema.io.Content;
import dev.crema.io.ModelArchive;
import dev.crema.io.NamedTensor;
import dev.crema.io.Safetensors;
import dev.crema.io.TensorInfo;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Masks as a file beside a model's own, for models that have some: for each masked parameter a
 * tensor of its path, U8 [⌈elements / 8⌉], whose bit i mod 8 of byte i / 8 is 1 where element i is
 * kept. A library that does not know the file reads the model without masks, with its zeros.
 */
final class MaskFiles {
  static final String NAME = "masks.safetensors";

  private MaskFiles() {}

  static Content content(Masks masks, Map<String, String> mark) {
    List<NamedTensor> tensors = new ArrayList<>();
    for (String path : masks.paths()) {
      byte[] bits = bits(masks.get(path));
      tensors.add(
          NamedTensor.of(path, ElementType.UINT8, Shape.of(bits.length), ByteBuffer.wrap(bits)));
    }
    return Safetensors.content(tensors, mark);
  }

  /** The masks of an archive, by path; checked against the model's parameters. */
  static Map<String, boolean[]> read(ModelArchive archive, ParameterTable table) {
    Map<String, boolean[]> masks = new LinkedHashMap<>();
    if (!archive.names().contains(NAME)) {
      return masks;
    }
    Safetensors tensors = archive.tensors(NAME);
    for (TensorInfo info : tensors.tensors().values()) {
      Parameter p = table.get(info.name());
      boolean fits =
          p != null
              && p.isTrained()
              && info.isSupported()
              && info.type() == ElementType.UINT8
              && info.shape().equals(Shape.of((p.elements() + 7) / 8));
      if (!fits) {
        throw new CremaException(
            archive.path()
                + ", "
                + NAME
                + ": the mask '"
                + info.name()
                + "' ("
                + info.dtype()
                + " "
                + info.shape()
                + ") does not belong to "
                + (p == null ? "any parameter of the topology" : p.type() + ", a bit an element")
                + ". The topology and the masks do not belong together.");
      }
      byte[] bits = new byte[(int) ((p.elements() + 7) / 8)];
      ByteBuffer direct = ByteBuffer.allocateDirect(bits.length);
      tensors.read(info.name(), direct);
      direct.get(0, bits);
      masks.put(p.path(), kept(bits, Model.elements(p)));
    }
    return masks;
  }

  private static byte[] bits(boolean... kept) {
    byte[] bits = new byte[(int) ((kept.length + 7L) / 8)];
    for (int i = 0; i < kept.length; i++) {
      bits[i / 8] |= (byte) (kept[i] ? 1 << i % 8 : 0);
    }
    return bits;
  }

  private static boolean[] kept(byte[] bits, int elements) {
    boolean[] kept = new boolean[elements];
    for (int i = 0; i < elements; i++) {
      kept[i] = (bits[i / 8] >> i % 8 & 1) != 0;
    }
    return kept;
  }
}
