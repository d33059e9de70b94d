// int8_conv.cu: convolutions of bytes as products by tensor cores (byte_tiles.cuh): a row is the window of an output, gathered from the
// image while the run of k before is multiplied; nothing is unfolded in memory. All give the CPU's results to the bit.
//   quantized_conv2d_KIND: (u8* x, int* packed, Target t, Conv8 c): x [images, h, w, c], y [images, oh, ow, units]
//   KIND: tiles_128 (256 threads), tiles_64 (128): channels a multiple of 16, x aligned to 16 bytes; tiles_any (128): tiles of 64 without
//     that; strips_32, strips_8 (256). packed is aligned to 16 bytes. Grid: any, about a block a tile or strip.
// Around a convolution of cuDNN's, of signed bytes, which pads with 0 and not with a zero point:
//   int8_signed_image_SIZE: (x, s, i64 images, int h, int w, int padded_h, int padded_w, int units, int top, int left, int zero): x - 128 in
//     images whose frame is zero - 128; negative: of which there is less. SIZE: 16 or 4, the bytes of a unit, of which a pixel has
//     `units`; x and s are aligned to it. Grid: any, a thread a unit.
//   quantized_conv2d_of_sums: (float* sums [m, n], int* packed, Target t, i64 m, int n, int k): the layer's output of sums of x - 128 times
//     weights, which are whole numbers that a float holds; channels in fours, n a multiple of 8, sums aligned to 16 bytes; sums and a y of
//     floats may be the same memory. Grid: any, about m n / 2048 blocks. 256 threads.
// Limit: 2 images oh ow units kh kw c operations over the card's rate of int8 products.
#include "signed_sums.cuh"

// What a plan knows of it; x and left in bytes of a row of an image.
struct Conv8 {
  i64 outputs;  // of a unit, of all images
  i64 image_bytes, h, row_bytes;
  i64 oh, ow, units, stride_h, stride_x, dilation_h, dilation_x, top, left;
  i64 run_words, runs, steps;  // runs of a row of the window, steps of all
  i64 x_zero, whole;           // whole: channels in sixteens, x aligned to 16 bytes
};

// A row's bytes come in runs that are neighbours in the image: a row of the window, or a pixel of it where columns are dilated; each is
// rounded up to words, as packed weights are. What lies outside of the image is the zero point; what lies behind the end of a run, or
// of all runs, is multiplied by weights of 0.
struct Windows {
  const u8* x;
  const Conv8& v;

  struct Row {
    const u8* image;  // null: there is none
    int y, x;         // in bytes: where the window begins
  };
  struct Position {
    int y, run, word;  // row of the window, run of it, word of that
  };
  CREMA_DEVICE_METHOD Row row(i64 r) const {
    if (r >= v.outputs) return {nullptr, 0, 0};
    const i64 line = r / v.ow, image = line / v.oh;
    return {x + image * v.image_bytes, static_cast<int>((line - image * v.oh) * v.stride_h - v.top),
            static_cast<int>((r - line * v.ow) * v.stride_x - v.left)};
  }
  CREMA_DEVICE_METHOD Position at(int word) const {
    Position p = {0, 0, 0};
    advance(p, word);
    return p;
  }
  CREMA_DEVICE_METHOD void advance(Position& p, int words) const {
    const int run_words = static_cast<int>(v.run_words), runs = static_cast<int>(v.runs);
    p.word += words;
    if (p.word < run_words) return;
    p.run += p.word / run_words;
    p.word %= run_words;
    if (p.run < runs) return;
    p.y += p.run / runs;
    p.run %= runs;
  }
  CREMA_DEVICE_METHOD bool is_whole() const { return v.whole != 0; }
  // Which byte of its row of the image the first one is, or would be.
  CREMA_DEVICE_METHOD int byte(const Row& r, const Position& p) const {
    return r.x + p.run * static_cast<int>(v.dilation_x) + 4 * p.word;
  }
  // The row of the image; null: outside.
  CREMA_DEVICE_METHOD const u8* line(const Row& r, const Position& p) const {
    const int y = r.y + p.y * static_cast<int>(v.dilation_h);
    if (r.image == nullptr || static_cast<u32>(y) >= static_cast<u32>(v.h)) return nullptr;
    return r.image + y * v.row_bytes;
  }
  CREMA_DEVICE_METHOD const u8* whole(const Row& r, const Position& p) const {
    const u8* const from = line(r, p);
    const int b = byte(r, p);
    return from != nullptr && static_cast<u32>(b) < static_cast<u32>(v.row_bytes) ? from + b : nullptr;
  }
  CREMA_DEVICE_METHOD u32 word(const Row& r, const Position& p) const {
    const u8* const from = line(r, p);
    const int b = byte(r, p), row_bytes = static_cast<int>(v.row_bytes);
    if (from == nullptr) return padding();
    if (b >= 0 && b + 4 <= row_bytes) return four_bytes(from + b, 4);
    u32 bytes = 0;
    CREMA_UNROLL
    for (int i = 0; i < 4; ++i) {
      const bool inside = static_cast<u32>(b + i) < static_cast<u32>(row_bytes);
      bytes |= (inside ? static_cast<u32>(from[b + i]) : static_cast<u32>(v.x_zero)) << (8 * i);
    }
    return bytes;
  }
  CREMA_DEVICE_METHOD u32 padding() const { return static_cast<u32>(v.x_zero) * 0x01010101u; }
};

#define CREMA_INT8_CONV(kind)                                                                                              \
  CREMA_DECLARE_##kind(quantized_conv2d_##kind, const u8* x, const int* packed, const Target t, const Conv8 v) {           \
    const int steps = static_cast<int>(v.steps), n = static_cast<int>(v.units);                                            \
    byte_##kind(Windows{x, v}, weights_of<RowWeights>(packed, steps, n), v.outputs, n, static_sums(t, packed, steps, n)); \
  }
CREMA_BYTE_KINDS(CREMA_INT8_CONV)

template <typename Unit>
CREMA_DEVICE void signed_image(const Unit* x, Unit* s, i64 images, int h, int w, int padded_h, int padded_w, int units, int top, int left,
                               Unit frame) {
  const i64 all = images * padded_h * padded_w * units;
  for (i64 i = global_thread(); i < all; i += global_threads()) {
    const i64 pixel = i / units, line = pixel / padded_w, image = line / padded_h;
    const int column = static_cast<int>(pixel - line * padded_w) - left, row = static_cast<int>(line - image * padded_h) - top;
    const bool inside = static_cast<u32>(row) < static_cast<u32>(h) && static_cast<u32>(column) < static_cast<u32>(w);
    s[i] = inside ? signed_bytes(x[((image * h + row) * w + column) * units + (i - pixel * units)]) : frame;
  }
}

CREMA_KERNEL(int8_signed_image_4, kThreads, const u32* x, u32* s, i64 images, int h, int w, int padded_h, int padded_w, int units, int top,
             int left, int zero) {
  signed_image(x, s, images, h, w, padded_h, padded_w, units, top, left, signed_bytes(static_cast<u32>(zero) * 0x01010101u));
}
CREMA_KERNEL(int8_signed_image_16, kThreads, const uint4* x, uint4* s, i64 images, int h, int w, int padded_h, int padded_w, int units,
             int top, int left, int zero) {
  const u32 frame = signed_bytes(static_cast<u32>(zero) * 0x01010101u);
  signed_image(x, s, images, h, w, padded_h, padded_w, units, top, left, make_uint4(frame, frame, frame, frame));
}

CREMA_KERNEL(quantized_conv2d_of_sums, kThreads, const float* sums, const int* packed, const Target t, i64 m, int n, int k) {
  of_signed_sums(sums, packed, m, n, k, static_sums(t, packed, packed_steps(k), n));
}
