package dev.crema.device.cuda;

/**
 * The arithmetic of one recurrent layer, as cuDNN documents it, in double. What a forward pass
 * keeps for gradients, by step: gates behind their activations, cells (of a GRU: the product of the
 * state that the reset gate multiplies), then what flows into the sums of x's gates and of the
 * state's.
 *
 * @param lstm gates i, f, new memory, o; else a GRU's: reset, update, new memory
 */
record FakeRecurrence(boolean lstm, int features, int units) {
  /** Matrices and biases of x's gates, then of the state's. */
  record Weights(FakeNumbers[] matrices, FakeNumbers[] biases) {}

  /** A sequence [n, t, ...] and two states [n, units], which may be null. */
  record States(FakeNumbers sequence, FakeNumbers h, FakeNumbers c) {}

  int gates() {
    return lstm ? 4 : 3;
  }

  /** Inputs of a gate's matrix. */
  int inputs(int gate) {
    return gate < gates() ? features : units;
  }

  /** Floats. */
  int reserve(int n, int t) {
    return n * t * units * (3 * gates() + 1);
  }

  private int kept(int part, int n, int t, int step, int example, int gate, int unit) {
    int g = gates();
    int at = ((step * n + example) * (part == 1 ? 1 : g) + gate) * units + unit;
    int[] before = {0, g, g + 1, 2 * g + 1};
    return before[part] * n * t * units + at;
  }

  private static double sigmoid(double v) {
    return 1 / (1 + Math.exp(-v));
  }

  private static double of(FakeNumbers state, int i) {
    return state == null ? 0 : state.get(i);
  }

  private double before(FakeNumbers y, FakeNumbers hx, int t, int step, int example, int unit) {
    return step == 0
        ? of(hx, example * units + unit)
        : y.get((example * t + step - 1) * units + unit);
  }

  private double sum(Weights w, int gate, int unit, double[] from) {
    double sum = w.biases()[gate].get(unit);
    for (int i = 0; i < from.length; i++) {
      sum += (double) w.matrices()[gate].get(unit * from.length + i) * from[i];
    }
    return sum;
  }

  void forward(
      int n,
      int t,
      FakeNumbers x,
      Weights w,
      FakeNumbers hx,
      FakeNumbers cx,
      States out,
      FakeNumbers reserve) {
    for (int e = 0; e < n; e++) {
      double[] h = new double[units];
      double[] c = new double[units];
      for (int u = 0; u < units; u++) {
        h[u] = of(hx, e * units + u);
        c[u] = of(cx, e * units + u);
      }
      for (int s = 0; s < t; s++) {
        double[] input = new double[features];
        for (int i = 0; i < features; i++) {
          input[i] = x.get((e * t + s) * features + i);
        }
        double[] next = new double[units];
        for (int u = 0; u < units; u++) {
          double[] a = new double[gates()];
          double[] r = new double[gates()];
          for (int g = 0; g < gates(); g++) {
            a[g] = sum(w, g, u, input);
            r[g] = sum(w, gates() + g, u, h);
          }
          double keep;
          if (lstm) {
            double[] v = {
              sigmoid(a[0] + r[0]),
              sigmoid(a[1] + r[1]),
              Math.tanh(a[2] + r[2]),
              sigmoid(a[3] + r[3])
            };
            c[u] = v[1] * c[u] + v[0] * v[2];
            next[u] = v[3] * Math.tanh(c[u]);
            keep = c[u];
            a = v;
          } else {
            double reset = sigmoid(a[0] + r[0]);
            double update = sigmoid(a[1] + r[1]);
            double fresh = Math.tanh(a[2] + reset * r[2]);
            next[u] = (1 - update) * fresh + update * h[u];
            keep = r[2];
            a = new double[] {reset, update, fresh};
          }
          if (reserve != null) {
            reserve.put(kept(1, n, t, s, e, 0, u), (float) keep);
            for (int g = 0; g < gates(); g++) {
              reserve.put(kept(0, n, t, s, e, g, u), (float) a[g]);
            }
          }
        }
        h = next;
        for (int u = 0; u < units; u++) {
          out.sequence().put((e * t + s) * units + u, (float) h[u]);
        }
      }
      for (int u = 0; u < units; u++) {
        if (out.h() != null) {
          out.h().put(e * units + u, (float) h[u]);
        }
        if (out.c() != null) {
          out.c().put(e * units + u, (float) c[u]);
        }
      }
    }
  }

  /**
   * @param in what flows into y and the last states
   * @param out what flows into x and the first states
   */
  void backward(
      int n,
      int t,
      Weights w,
      FakeNumbers y,
      FakeNumbers hx,
      FakeNumbers cx,
      States in,
      States out,
      FakeNumbers reserve) {
    for (int e = 0; e < n; e++) {
      double[] dh = new double[units];
      double[] dc = new double[units];
      for (int u = 0; u < units; u++) {
        dh[u] = of(in.h(), e * units + u);
        dc[u] = of(in.c(), e * units + u);
      }
      for (int s = t - 1; s >= 0; s--) {
        double[] dx = new double[features];
        double[] into = new double[units];
        for (int u = 0; u < units; u++) {
          double flow = dh[u] + in.sequence().get((e * t + s) * units + u);
          double[] v = new double[gates()];
          for (int g = 0; g < gates(); g++) {
            v[g] = reserve.get(kept(0, n, t, s, e, g, u));
          }
          double kept = reserve.get(kept(1, n, t, s, e, 0, u));
          double[] d;
          double[] r;
          if (lstm) {
            double c = s > 0 ? reserve.get(kept(1, n, t, s - 1, e, 0, u)) : of(cx, e * units + u);
            double squashed = Math.tanh(kept);
            double total = dc[u] + flow * v[3] * (1 - squashed * squashed);
            d =
                new double[] {
                  total * v[2] * v[0] * (1 - v[0]),
                  total * c * v[1] * (1 - v[1]),
                  total * v[0] * (1 - v[2] * v[2]),
                  flow * squashed * v[3] * (1 - v[3])
                };
            r = d;
            dc[u] = total * v[1];
          } else {
            double fresh = flow * (1 - v[1]) * (1 - v[2] * v[2]);
            double update = flow * (before(y, hx, t, s, e, u) - v[2]) * v[1] * (1 - v[1]);
            double reset = fresh * kept * v[0] * (1 - v[0]);
            d = new double[] {reset, update, fresh};
            r = new double[] {reset, update, fresh * v[0]};
            into[u] += flow * v[1];
          }
          for (int g = 0; g < gates(); g++) {
            reserve.put(kept(2, n, t, s, e, g, u), (float) d[g]);
            reserve.put(kept(3, n, t, s, e, g, u), (float) r[g]);
            for (int i = 0; i < features; i++) {
              dx[i] += d[g] * w.matrices()[g].get(u * features + i);
            }
            for (int i = 0; i < units; i++) {
              into[i] += r[g] * w.matrices()[gates() + g].get(u * units + i);
            }
          }
        }
        dh = into;
        for (int i = 0; i < features; i++) {
          out.sequence().put((e * t + s) * features + i, (float) dx[i]);
        }
      }
      for (int u = 0; u < units; u++) {
        if (out.h() != null) {
          out.h().put(e * units + u, (float) dh[u]);
        }
        if (out.c() != null) {
          out.c().put(e * units + u, (float) dc[u]);
        }
      }
    }
  }

  /** Adds to the gradients that stand there. */
  void weightGradients(
      int n, int t, FakeNumbers x, FakeNumbers hx, FakeNumbers y, Weights dw, FakeNumbers reserve) {
    for (int g = 0; g < 2 * gates(); g++) {
      boolean ofState = g >= gates();
      int width = inputs(g);
      for (int u = 0; u < units; u++) {
        double[] sums = new double[width + 1];
        for (int e = 0; e < n; e++) {
          for (int s = 0; s < t; s++) {
            double d = reserve.get(kept(ofState ? 3 : 2, n, t, s, e, g % gates(), u));
            for (int i = 0; i < width; i++) {
              double from = ofState ? before(y, hx, t, s, e, i) : x.get((e * t + s) * features + i);
              sums[i] += d * from;
            }
            sums[width] += d;
          }
        }
        for (int i = 0; i < width; i++) {
          add(dw.matrices()[g], u * width + i, sums[i]);
        }
        add(dw.biases()[g], u, sums[width]);
      }
    }
  }

  private static void add(FakeNumbers to, int i, double value) {
    to.put(i, (float) (to.get(i) + value));
  }
}
