package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ImagesTest {
  private static float[] apply(RowFunction f, float[] in, int out) {
    float[] result = new float[out];
    f.apply(in, result);
    return result;
  }

  @Test
  void averagesWholeBlocks() {
    float[] image = {1, 2, 3, 4, 5, 6, 7, 8};
    assertThat(apply(Images.averageDown(2, 4, 1, 2, 1), image, 2)).containsExactly(3.5f, 5.5f);
  }

  @Test
  void sharesPixelsThatLieOnAnEdge() {
    // Three pixels on two: each takes one and a half.
    float[] out = apply(Images.averageDown(1, 3, 1, 2, 1), new float[] {1, 4, 10}, 2);
    assertThat(out[0]).isCloseTo((1 + 0.5f * 4) / 1.5f, within(1e-6f));
    assertThat(out[1]).isCloseTo((0.5f * 4 + 10) / 1.5f, within(1e-6f));
  }

  @Property(tries = 50, shrinking = ShrinkingMode.OFF)
  void averagingMatchesTheIntegralOfThePixels(
      @ForAll @IntRange(min = 1, max = 30) int h,
      @ForAll @IntRange(min = 1, max = 30) int w,
      @ForAll @IntRange(min = 1, max = 30) int toH,
      @ForAll @IntRange(min = 1, max = 30) int toW,
      @ForAll @IntRange(min = 1, max = 3) int channels,
      @ForAll long seed) {
    int th = Math.min(h, toH);
    int tw = Math.min(w, toW);
    Mix random = new Mix(seed);
    float[] image = new float[h * w * channels];
    for (int i = 0; i < image.length; i++) {
      image[i] = random.below(256) / 255f;
    }
    float[] out = apply(Images.averageDown(h, w, th, tw, channels), image, th * tw * channels);
    for (int y = 0; y < th; y++) {
      for (int x = 0; x < tw; x++) {
        for (int c = 0; c < channels; c++) {
          assertThat((double) out[(y * tw + x) * channels + c])
              .isCloseTo(mean(image, h, w, channels, c, y, x, th, tw), within(1e-5));
        }
      }
    }
  }

  /** The area under a target pixel, by clipping every source pixel against it in float64. */
  private static double mean(
      float[] image, int h, int w, int channels, int c, int y, int x, int th, int tw) {
    double top = (double) y * h / th;
    double bottom = (double) (y + 1) * h / th;
    double left = (double) x * w / tw;
    double right = (double) (x + 1) * w / tw;
    double sum = 0;
    for (int i = 0; i < h; i++) {
      for (int j = 0; j < w; j++) {
        double dy = Math.max(0, Math.min(bottom, i + 1) - Math.max(top, i));
        double dx = Math.max(0, Math.min(right, j + 1) - Math.max(left, j));
        sum += dy * dx * image[(i * w + j) * channels + c];
      }
    }
    return sum / ((bottom - top) * (right - left));
  }

  @Test
  void bilinearInterpolatesBetweenPixelCentres() {
    float[] out = apply(Images.bilinear(1, 2, 1, 4, 1), new float[] {0, 1}, 4);
    assertThat(out).containsExactly(0f, 0.25f, 0.75f, 1f);
  }

  @Test
  void bilinearOfTheSameSizeIsTheImage() {
    float[] image = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f};
    assertThat(apply(Images.bilinear(1, 2, 1, 2, 3), image, 6)).containsExactly(image);
  }

  @Test
  void bilinearShrinkingLosesNoPixel() {
    float[] image = new float[64];
    image[37] = 64;
    float[] out = apply(Images.bilinear(8, 8, 2, 2, 1), image, 4);
    assertThat(out[0] + out[1] + out[2] + out[3]).isGreaterThan(3f);
  }

  @Test
  void averagingDoesNotEnlarge() {
    assertThatThrownBy(() -> Images.averageDown(4, 4, 5, 4, 1)).hasMessageContaining("4×4 to 5×4");
  }
}
