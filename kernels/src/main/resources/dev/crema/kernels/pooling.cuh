// pooling.cuh: windows over images [n, h, w, c], channels last.
#pragma once

#include "common.cuh"

// Window o of an axis covers inputs [o stride - pad, o stride - pad + size), as far as they exist.
struct Windows {
  i64 inputs, outputs, size, stride, pad;
};
CREMA_DEVICE i64 window_begin(const Windows& w, i64 o) { return most(0, o * w.stride - w.pad); }
CREMA_DEVICE i64 window_end(const Windows& w, i64 o) { return most(0, least(w.inputs, o * w.stride - w.pad + w.size)); }
// Of numbers that are not negative, along an axis of an image: a division of 32 bits is several times as fast.
CREMA_DEVICE i64 quotient(i64 a, i64 b) { return static_cast<u32>(a) / static_cast<u32>(b); }
// The windows [first_window, last_window] that cover an input; none when last < first.
CREMA_DEVICE i64 first_window(const Windows& w, i64 input) {
  const i64 at = input + w.pad - w.size;
  return at < 0 ? 0 : quotient(at, w.stride) + 1;
}
CREMA_DEVICE i64 last_window(const Windows& w, i64 input) { return least(w.outputs - 1, quotient(input + w.pad, w.stride)); }

struct Pool {
  i64 images, channels;
  Windows rows, columns;
  i64 count_padding;  // whether averages are over the padding, too
};
CREMA_DEVICE i64 pool_outputs(const Pool& p) { return p.images * p.rows.outputs * p.columns.outputs * p.channels; }
CREMA_DEVICE i64 pool_inputs(const Pool& p) { return p.images * p.rows.inputs * p.columns.inputs * p.channels; }
// Pixels that an average is over.
CREMA_DEVICE i64 window_pixels(const Pool& p, i64 oy, i64 ox) {
  if (p.count_padding != 0) return p.rows.size * p.columns.size;
  return (window_end(p.rows, oy) - window_begin(p.rows, oy)) * (window_end(p.columns, ox) - window_begin(p.columns, ox));
}
CREMA_DEVICE float window_weight(const Pool& p, i64 oy, i64 ox) {
  const i64 n = window_pixels(p, oy, ox);
  return n > 0 ? 1.0f / static_cast<float>(n) : 0.0f;
}

// Element i of [images, height, width, channels].
struct Pixel {
  i64 image, y, x, channel;
};
CREMA_DEVICE Pixel pixel_of(i64 i, i64 height, i64 width, i64 channels) {
  Pixel p;
  if (i <= 0x7fffffffll) {  // a division of 32 bits is several times as fast
    u32 rest = static_cast<u32>(i);
    p.channel = rest % static_cast<u32>(channels);
    rest /= static_cast<u32>(channels);
    p.x = rest % static_cast<u32>(width);
    rest /= static_cast<u32>(width);
    p.y = rest % static_cast<u32>(height);
    p.image = rest / static_cast<u32>(height);
  } else {
    p.channel = i % channels;
    i /= channels;
    p.x = i % width;
    i /= width;
    p.y = i % height;
    p.image = i / height;
  }
  return p;
}

// Calls f(input index) for the inputs under a window, in row-major order.
template <typename F>
CREMA_DEVICE void each_input(const Pool& p, const Pixel& o, F f) {
  const i64 left = window_begin(p.columns, o.x), right = window_end(p.columns, o.x);
  for (i64 r = window_begin(p.rows, o.y); r < window_end(p.rows, o.y); ++r) {
    const i64 row = ((o.image * p.rows.inputs + r) * p.columns.inputs) * p.channels + o.channel;
    for (i64 q = left; q < right; ++q) f(row + q * p.channels);
  }
}
