package dev.crema.data;

import dev.crema.CremaException;
import dev.crema.memory.Shape;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/** Decodes PNG and JPEG files through ImageIO; needs no display. */
final class ImageFile {
  /** A header that claims more is refused before anything is decoded. */
  private static final long MOST_PIXELS = 1L << 26;

  private ImageFile() {}

  /** What is done with an opened reader. */
  @FunctionalInterface
  private interface Use<T> {
    T apply(ImageReader reader) throws IOException;
  }

  /** Shape of the image in a file: height, width and 1 channel if it is grey, else 3. */
  static Shape shape(Path file) {
    return use(
        file,
        reader -> {
          long h = reader.getHeight(0);
          long w = reader.getWidth(0);
          boolean grey =
              reader.getRawImageType(0) != null
                  && isGrey(reader.getRawImageType(0).getColorModel());
          return Shape.of(h, w, grey ? 1 : 3);
        });
  }

  /**
   * Pixels in [0, 1], [height, width, channels], brought to that shape by bilinear interpolation.
   * Colours become grey by the weights of ITU-R BT.601; transparency is dropped.
   */
  static float[] read(Path file, Shape shape) {
    BufferedImage image = use(file, reader -> reader.read(0));
    int channels = (int) shape.dim(2);
    int h = image.getHeight();
    int w = image.getWidth();
    float[] pixels =
        isGrey(image.getColorModel()) ? grey(image, channels) : colour(image, channels);
    if (h == shape.dim(0) && w == shape.dim(1)) {
      return pixels;
    }
    float[] out = new float[(int) shape.elements()];
    Images.bilinear(h, w, (int) shape.dim(0), (int) shape.dim(1), channels).apply(pixels, out);
    return out;
  }

  private static boolean isGrey(ColorModel model) {
    return !(model instanceof IndexColorModel)
        && model.getColorSpace().getType() == ColorSpace.TYPE_GRAY;
  }

  /** Samples as they stand: getRGB would change grey values by a gamma of its own. */
  private static float[] grey(BufferedImage image, int channels) {
    Raster raster = image.getRaster();
    int w = image.getWidth();
    int h = image.getHeight();
    float most = (1 << image.getColorModel().getComponentSize(0)) - 1;
    float[] out = new float[w * h * channels];
    int[] line = new int[w];
    for (int y = 0; y < h; y++) {
      raster.getSamples(raster.getMinX(), raster.getMinY() + y, w, 1, 0, line);
      for (int x = 0; x < w; x++) {
        for (int c = 0; c < channels; c++) {
          out[(y * w + x) * channels + c] = line[x] / most;
        }
      }
    }
    return out;
  }

  private static float[] colour(BufferedImage image, int channels) {
    int w = image.getWidth();
    int h = image.getHeight();
    float[] out = new float[w * h * channels];
    int[] line = new int[w];
    int to = 0;
    for (int y = 0; y < h; y++) {
      image.getRGB(0, y, w, 1, line, 0, w);
      for (int argb : line) {
        float r = ((argb >> 16) & 0xFF) / 255f;
        float g = ((argb >> 8) & 0xFF) / 255f;
        float b = (argb & 0xFF) / 255f;
        if (channels == 1) {
          out[to++] = 0.299f * r + 0.587f * g + 0.114f * b;
        } else {
          out[to++] = r;
          out[to++] = g;
          out[to++] = b;
        }
      }
    }
    return out;
  }

  private static <T> T use(Path file, Use<T> use) {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file));
        ImageInputStream stream = new MemoryCacheImageInputStream(in)) {
      Iterator<ImageReader> readers = ImageIO.getImageReaders(stream);
      if (!readers.hasNext()) {
        throw new CremaException(file + " is no image that Java can decode (PNG and JPEG can be)");
      }
      ImageReader reader = readers.next();
      try {
        reader.setInput(stream, true, true);
        boolean[] cutOff = new boolean[1];
        reader.addIIOReadWarningListener(
            (source, warning) -> cutOff[0] |= warning.contains("premature end"));
        long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
        if (pixels < 1 || pixels > MOST_PIXELS) {
          throw new CremaException(
              file
                  + " claims to be an image of "
                  + reader.getWidth(0)
                  + "×"
                  + reader.getHeight(0)
                  + " pixels; at most "
                  + MOST_PIXELS
                  + " pixels are decoded");
        }
        Buffers.requireHeap(16 * pixels, file.toString());
        T result = use.apply(reader);
        if (cutOff[0]) { // the JPEG reader fills the rest with grey
          throw new CremaException(file + " is cut off: the image ends before its last line");
        }
        return result;
      } finally {
        reader.dispose();
      }
    } catch (CremaException e) {
      throw e;
    } catch (IOException e) {
      throw InputFiles.unreadable(file.toString(), e);
    } catch (RuntimeException e) {
      // ImageIO throws whatever it stumbles on in a damaged file.
      throw new CremaException(file + " is a damaged image: " + e, e);
    }
  }
}
