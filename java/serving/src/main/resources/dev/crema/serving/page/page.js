'use strict';
(() => {
  const $ = id => document.getElementById(id);
  const SVG = 'http://www.w3.org/2000/svg';

  // Elements are made, never parsed from text: what models and clients are called stays text.
  function el(name, attributes, ...children) {
    const svg = ['svg', 'path', 'line', 'rect', 'text', 'g', 'circle'].includes(name);
    const e = svg ? document.createElementNS(SVG, name) : document.createElement(name);
    for (const [k, v] of Object.entries(attributes || {})) {
      if (k === 'class') e.setAttribute('class', v);
      else if (k.startsWith('on')) e.addEventListener(k.slice(2), v);
      else if (v !== null && v !== undefined && v !== false) e.setAttribute(k, v === true ? '' : v);
    }
    e.append(...children.filter(c => c !== null && c !== undefined));
    return e;
  }
  const fill = (e, ...children) => e.replaceChildren(...children.filter(c => c));

  const finite = v => typeof v === 'number' && isFinite(v);
  function short(v, digits = 3) {
    if (!finite(v)) return '–';
    const a = Math.abs(v);
    if (a >= 1e9) return (v / 1e9).toPrecision(digits) + ' G';
    if (a >= 1e6) return (v / 1e6).toPrecision(digits) + ' M';
    if (a >= 1e4) return (v / 1e3).toPrecision(digits) + ' k';
    return String(+v.toPrecision(digits));
  }
  function micros(v) {
    if (!finite(v)) return '–';
    return v < 1e3 ? short(v) + ' µs' : v < 1e6 ? short(v / 1e3) + ' ms' : short(v / 1e6) + ' s';
  }
  function bytes(v) {
    if (!finite(v)) return '–';
    const units = ['B', 'kB', 'MB', 'GB', 'TB'];
    let i = 0;
    while (v >= 1024 && i < 4) { v /= 1024; i++; }
    return +v.toPrecision(3) + ' ' + units[i];
  }
  const percent = v => finite(v) ? +(100 * v).toPrecision(3) + ' %' : '–';
  function duration(s) {
    if (s < 120) return Math.round(s) + ' s';
    if (s < 7200) return Math.round(s / 60) + ' min';
    return s < 172800 ? (s / 3600).toFixed(1) + ' h' : Math.round(s / 86400) + ' d';
  }

  async function get(path) {
    const response = await fetch(path, {headers: headers(), cache: 'no-store'});
    if (!response.ok) throw new Error(response.status === 401 || response.status === 403
      ? 'access denied' : 'HTTP ' + response.status);
    return response.json();
  }
  function headers() {
    const token = sessionStorage.getItem('token');
    return token ? {authorization: 'Bearer ' + token} : {};
  }

  // A chart: series of {name, values (null: none), area}; x runs evenly from left to right.
  function chart(figure, title, series, format, xs) {
    const W = Math.max(280, figure.clientWidth - 34), H = 190, L = 58, B = 22, T = 8, R = 6;
    const all = series.flatMap(s => s.values).filter(finite);
    const scale = xs.log ? Math.log10 : v => v, ticks = [];
    let top = Math.max(...all, 0), low = xs.floating && all.length ? Math.min(...all) : 0;
    if (xs.log) {
      const positive = all.filter(v => v > 0);
      low = Math.floor(positive.length ? Math.log10(Math.min(...positive)) : 0);
      top = Math.max(low + 1, Math.ceil(positive.length ? Math.log10(Math.max(...positive)) : 1));
      for (let v = low; v <= top; v += top - low > 5 ? 2 : 1) ticks.push(Math.pow(10, v));
    } else {
      if (!(top > low)) top = low + 1;
      const step = nice((top - low) / 4);
      low = Math.floor(low / step) * step;
      top = Math.ceil(top / step - 1e-9) * step;
      for (let v = low; v <= top + step / 2; v += step) ticks.push(+v.toPrecision(6));
    }
    const n = Math.max(...series.map(s => s.values.length), 2);
    const x = i => L + (W - L - R) * (xs.at ? xs.at(i) : i / (n - 1));
    const y = v => T + (H - T - B) * (1 - (scale(v) - low) / (top - low));
    const svg = el('svg', {class: 'chart', viewBox: `0 0 ${W} ${H}`, role: 'img',
      'aria-label': title + ': ' + series.map(s => s.name + ' ' + format(last(s.values))).join(', ')});
    for (const v of ticks) {
      svg.append(el('line', {class: 'grid', x1: L, x2: W - R, y1: y(v), y2: y(v)}),
        el('text', {x: L - 8, y: y(v) + 4, 'text-anchor': 'end'}, format(v)));
    }
    xs.labels.forEach((label, i) => svg.append(el('text', {x: L + (W - L - R) * i / (xs.labels.length - 1 || 1),
      y: H - 4, 'text-anchor': i === 0 ? 'start' : i === xs.labels.length - 1 ? 'end' : 'middle'}, label)));
    series.forEach((s, k) => {
      let d = '', on = false, first = null, end = null;
      s.values.forEach((v, i) => {
        if (!finite(v)) { on = s.bridged && on; return; }
        d += (on ? 'L' : 'M') + x(i).toFixed(1) + ' ' + y(v).toFixed(1);
        on = true; first ??= i; end = i;
      });
      if (s.area && d) svg.append(el('path', {class: 'area', d: d + `L${x(end)} ${H - B}L${x(first)} ${H - B}Z`}));
      svg.append(el('path', {class: 'curve s' + (k + 1), d}));
      if (first !== null && first === end) svg.append(el('circle', {class: 's' + (k + 1), cx: x(first), cy: y(s.values[first]), r: 3, fill: 'currentColor'}));
    });
    const cross = el('line', {class: 'cross', y1: T, y2: H - B, visibility: 'hidden'});
    svg.append(cross);
    const keys = series.map((s, k) => el('span', {class: 'key s' + (k + 1)}, el('i'), el('span', {class: 'muted'}, s.name + ' ' + format(last(s.values)))));
    svg.addEventListener('pointermove', event => {
      const box = svg.getBoundingClientRect(), px = (event.clientX - box.left) * W / box.width;
      let best = 0;
      for (let i = 1; i < n; i++) if (Math.abs(x(i) - px) < Math.abs(x(best) - px)) best = i;
      cross.setAttribute('x1', x(best)); cross.setAttribute('x2', x(best)); cross.setAttribute('visibility', 'visible');
      series.forEach((s, k) => { keys[k].lastChild.textContent = s.name + ' ' + format(s.values[best]); });
    });
    svg.addEventListener('pointerleave', () => {
      cross.setAttribute('visibility', 'hidden');
      series.forEach((s, k) => { keys[k].lastChild.textContent = s.name + ' ' + format(last(s.values)); });
    });
    fill(figure, el('figcaption', {}, el('b', {}, title), ...keys), svg);
  }
  function nice(v) {
    const p = Math.pow(10, Math.floor(Math.log10(v))), m = v / p;
    return (m <= 1 ? 1 : m <= 2 ? 2 : m <= 2.5 ? 2.5 : m <= 5 ? 5 : 10) * p;
  }
  function last(values) {
    for (let i = values.length - 1; i >= 0; i--) if (finite(values[i])) return values[i];
    return NaN;
  }
  function bar(parts) {
    const svg = el('svg', {viewBox: '0 0 100 12', preserveAspectRatio: 'none', 'aria-hidden': 'true'},
      el('rect', {class: 'track', width: 100, height: 12, rx: 1}));
    parts.forEach(([part, cls], i) => svg.append(el('rect', {class: cls, y: i * 12 / parts.length, height: 12 / parts.length,
      width: Math.max(0, Math.min(100, 100 * (finite(part) ? part : 0)))})));
    return svg;
  }

  // ---- Overview
  let overview = null, seen = '';
  const STATES = {AVAILABLE: 'ok', LOADING: 'warn', UNLOADING: 'warn', START: '', END: ''};

  function showOverview(o) {
    overview = o;
    const serves = o.models.length > 0;
    for (const id of ['traffic', 'models', 'try']) $(id).hidden = !serves;
    $('about').textContent = `version ${o.version} · up ${duration(o.uptimeSeconds)}`;
    const missing = o.models.filter(m => !m.versions.some(v => v.state === 'AVAILABLE'));
    pill($('state'), missing.length ? 'bad' : 'ok',
      missing.length ? 'no version of ' + missing.map(m => m.name).join(', ') : serves ? 'serving' : 'running');
    options($('traffic-model'), ['all models', ...o.models.map(m => m.name)]);
    options($('try-model'), o.models.filter(m => m.signature).map(m => m.name));
    if (serves) { showTraffic(); showVersions(); showTry(); }
    showDrift();
    showErrors();
    $('updated').textContent = 'Updated ' + new Date(o.time).toLocaleTimeString();
    const sections = [...document.querySelectorAll('main > section')].filter(s => !s.hidden);
    const key = sections.map(s => s.id).join();
    if (key !== seen) {
      seen = key;
      fill($('nav'), ...sections.map(s => el('a', {href: '#' + s.id}, s.querySelector('h2').textContent)));
      fill($('links'), ...['metrics', 'monitoring/crema-rules.yml', 'monitoring/crema-dashboard.json', 'api/overview', 'api/training']
        .flatMap(p => [el('a', {href: '/' + p}, '/' + p), '  ']));
    }
  }
  function pill(e, cls, text) { e.className = 'pill ' + cls; if (e.textContent !== text) e.textContent = text; return e; }
  function options(select, names) {
    if ([...select.options].map(o => o.text).join('\n') === names.join('\n')) return;
    const before = select.value;
    fill(select, ...names.map(n => el('option', {value: n}, n)));
    if (names.includes(before)) select.value = before;
  }

  function sum(lists) {
    const n = Math.max(0, ...lists.map(l => l.length));
    return Array.from({length: n}, (_, i) => {
      const all = lists.map(l => l[l.length - n + i]).filter(Boolean);
      const total = all.reduce((s, p) => s + p[0], 0);
      // Of several models the quantile of the slowest that answered anything: an upper bound.
      const worst = k => { const v = all.map(p => p[k]).filter(finite); return v.length ? Math.max(...v) : null; };
      return [total, all.reduce((s, p) => s + p[1], 0), worst(2), worst(3), worst(4)];
    });
  }
  function showTraffic() {
    const chosen = $('traffic-model').value;
    const lists = Object.entries(overview.traffic).filter(([name]) => chosen === 'all models' || name === chosen).map(e => e[1]);
    const seconds = sum(lists), recent = seconds.slice(-10);
    const mean = k => recent.length ? recent.reduce((s, p) => s + p[k], 0) / recent.length : NaN;
    const at = k => last(recent.map(p => p[k]));
    const rate = mean(0), errors = mean(1);
    const figures = [['Requests', short(rate), '/s'], ['Median', micros(at(2))], ['p99', micros(at(4))],
      ['Errors', percent(rate + errors > 0 ? errors / (rate + errors) : 0)], ['In flight', short(overview.inFlight)],
      ['Off heap', bytes(overview.offHeapBytes)]];
    fill($('figures'), ...figures.map(([name, value, unit]) => {
      const [number, ...rest] = value.split(' ');
      return el('div', {}, el('dt', {}, name), el('dd', {}, number, el('small', {}, unit || rest.join(' '))));
    }));
    const labels = seconds.length > 90 ? ['−' + Math.round(seconds.length / 60) + ' min', 'now'] : ['−' + seconds.length + ' s', 'now'];
    chart($('throughput'), 'Requests a second', [{name: 'answered', values: seconds.map(p => p[0]), area: true},
      {name: 'failed', values: seconds.map(p => p[1])}], short, {labels});
    chart($('latency'), 'Latency', [['median', 2], ['p90', 3], ['p99', 4]].map(([name, k]) => ({name, values: seconds.map(p => p[k])})), micros, {labels, log: true});
  }
  $('traffic-model').addEventListener('change', showTraffic);

  const spec = t => `${t.name} ${t.type.toLowerCase()} [${t.shape.map(d => d < 0 ? 'n' : d).join(', ')}]`;
  function showVersions() {
    const rows = [];
    for (const m of overview.models) {
      m.versions.forEach((v, i) => rows.push(el('tr', {},
        el('td', {}, i === 0 ? el('b', {}, m.name) : ''),
        el('td', {}, String(v.version)),
        el('td', {}, pill(el('span'), v.error ? 'bad' : STATES[v.state] || '', v.error && v.state !== 'AVAILABLE' ? 'failed' : v.state.toLowerCase()),
          v.error ? el('div', {class: 'error'}, v.error) : null),
        el('td', {}, v.labels.join(', ') || '–'),
        el('td', {class: 'mono'}, i === 0 && m.signature ? m.signature.inputs.map(spec).join(', ') : ''),
        el('td', {class: 'mono'}, i === 0 && m.signature ? m.signature.outputs.map(spec).join(', ') : ''),
        el('td', {class: 'n'}, v.loadSeconds > 0 ? micros(v.loadSeconds * 1e6) : '–'),
        el('td', {class: 'n'}, v.bytes ? bytes(v.bytes) : '–'))));
    }
    fill($('versions'), ...rows);
  }

  // ---- Drift
  function showDrift() {
    const keys = new Map();
    const of = r => { const k = r.model + '\n' + r.version; if (!keys.has(k)) keys.set(k, {}); return keys.get(k); };
    overview.drift.forEach(d => { of(d).drift = d; });
    overview.feedback.forEach(f => { of(f).feedback = f; });
    $('quality').hidden = keys.size === 0;
    fill($('drift'), ...[...keys.values()].map(({drift, feedback}) => {
      const r = drift || feedback;
      const card = el('article', {class: 'card'}, el('div', {class: 'head'}, el('h3', {}, `${r.model} version ${r.version}`), drift ? verdict(drift) : null));
      const parts = el('div', {class: 'parts'}), part = (...children) => parts.append(el('div', {}, ...children));
      if (drift) {
        card.append(el('p', {class: 'muted'}, drift.greatestIndex === null
          ? `${short(drift.examples)} examples in the window, too few to say anything.`
          : `Greatest stability index ${short(drift.greatestIndex)} of ${drift.features} features, ${drift.drifted} above 0.25; ${short(drift.examples)} examples.`));
        if (drift.greatestIndex !== null) part(el('h4', {}, 'Features that drifted most (stability index)'), el('ul', {class: 'bars'},
          ...drift.top.map(f => el('li', {}, el('span', {class: 'name mono', title: f.name}, f.name),
            bar([[f.index / Math.max(0.5, drift.greatestIndex), f.index > 0.25 ? 'fillbad' : f.index > 0.1 ? 'fillwarn' : 'fillok']]), el('span', {}, short(f.index, 2))))));
        for (const p of drift.predictions.filter(p => p.classes.length)) {
          const most = Math.max(...p.classes.flatMap(c => [c.live || 0, c.expected || 0]), 0.01);
          part(el('h4', {}, 'Predicted classes: ', el('span', {class: 's1'}, 'now'), ' and ', el('span', {class: 's2'}, 'at training')),
            el('ul', {class: 'bars'}, ...p.classes.slice(0, 12).map(c => el('li', {}, el('span', {class: 'name'}, c.name),
              bar([[c.live / most, 'fill1'], [c.expected / most, 'fill2']]), el('span', {}, percent(c.live))))));
        }
      }
      if (feedback) {
        const figures = feedback.labels
          ? [['Accuracy', percent(feedback.accuracy)], ['Precision', percent(feedback.precision)], ['Recall', percent(feedback.recall)], ['F1', percent(feedback.f1)]]
          : [['MAE', short(feedback.meanAbsoluteError)], ['RMSE', short(feedback.rootMeanSquaredError)]];
        part(el('h4', {}, `Live, by ${short(feedback.labels || feedback.values)} truths`),
          el('ul', {class: 'bars'}, ...figures.map(([name, value]) => el('li', {}, el('span', {}, name), bar(feedback.labels ? [[parseFloat(value) / 100, 'fill1']] : []), el('span', {}, value)))));
      }
      card.append(parts);
      return card;
    }));
  }
  function verdict(d) {
    if (d.greatestIndex === null) return pill(el('span'), '', 'watching');
    return d.greatestIndex > 0.25 ? pill(el('span'), 'bad', 'drifted') : d.greatestIndex > 0.1 ? pill(el('span'), 'warn', 'some drift') : pill(el('span'), 'ok', 'like training');
  }

  function showErrors() {
    $('errors').hidden = overview.errors.length === 0;
    fill($('failures'), ...overview.errors.slice(0, 20).map(f => el('tr', {}, el('td', {}, new Date(f.millis).toLocaleTimeString()),
      el('td', {}, f.model || 'unknown'), el('td', {}, f.protocol), el('td', {class: 'mono'}, f.code), el('td', {}, f.message))));
  }

  // ---- Try it
  let tried = '', read = null;
  function showTry() {
    const model = overview.models.find(m => m.name === $('try-model').value);
    if (!model) return;
    const key = JSON.stringify([model.name, model.signature]);
    if (key === tried) return;
    tried = key;
    const s = model.signature, form = $('try-form');
    const parts = [];
    let clear = null;
    if (s.columns.length) {
      parts.push(columns(s));
    } else {
      const readers = s.inputs.map(input => {
        const [part, value, reset] = s.inputs.length === 1 && drawable(input) ? pad(input) : text(input);
        parts.push(part);
        clear ||= reset;
        return [input.name, value];
      });
      read = () => readers.length === 1 ? readers[0][1]() : Object.fromEntries(readers.map(([n, v]) => [n, v()]));
    }
    fill(form, ...parts, el('div', {class: 'buttons'}, el('button', {class: 'main', type: 'submit'}, 'Predict'),
      clear ? el('button', {type: 'button', onclick: clear}, 'Clear') : null, el('span', {class: 'muted mono'}, `POST /v1/models/${model.name}:predict`)));
    form.onsubmit = event => { event.preventDefault(); ask(model); };
    fill($('try-answer'), el('p', {class: 'muted'}, 'The answer appears here.'));
  }
  $('try-model').addEventListener('change', showTry);
  const square = n => Math.round(Math.sqrt(n));
  function drawable(input) {
    const d = input.shape.slice(1);
    if (d.length === 1) return d[0] >= 64 && d[0] <= 4096 && square(d[0]) ** 2 === d[0] && overview.models.find(m => m.name === $('try-model').value).signature.image;
    return d.length >= 2 && d[0] === d[1] && d[0] >= 8 && d[0] <= 64 && (d.length === 2 || d.length === 3 && d[2] === 1);
  }
  function nest(flat, dims) {
    if (dims.length <= 1) return flat;
    const size = flat.length / dims[0];
    return Array.from({length: dims[0]}, (_, i) => nest(flat.slice(i * size, (i + 1) * size), dims.slice(1)));
  }
  function pad(input) {
    const dims = input.shape.slice(1), n = dims.length === 1 ? square(dims[0]) : dims[0], side = 196;
    const canvas = el('canvas', {class: 'pad', width: side, height: side, tabindex: 0, role: 'img', 'aria-label': 'Drawing of ' + input.name + '; draw with the pointer, or use the text below'});
    const c = canvas.getContext('2d', {willReadFrequently: true});
    const reset = () => { c.fillStyle = '#000'; c.fillRect(0, 0, side, side); };
    reset();
    let from = null;
    const place = e => { const b = canvas.getBoundingClientRect(); return [(e.clientX - b.left) * side / b.width, (e.clientY - b.top) * side / b.height]; };
    const draw = e => {
      if (!from) return;
      const to = place(e);
      c.strokeStyle = '#fff'; c.lineWidth = side / 12; c.lineCap = 'round'; c.lineJoin = 'round';
      c.beginPath(); c.moveTo(...from); c.lineTo(...to); c.stroke();
      from = to;
    };
    canvas.addEventListener('pointerdown', e => { from = place(e); canvas.setPointerCapture(e.pointerId); draw(e); });
    canvas.addEventListener('pointermove', draw);
    canvas.addEventListener('pointerup', () => { from = null; });
    const value = () => {
      const p = c.getImageData(0, 0, side, side).data, out = new Array(n * n).fill(0), count = new Array(n * n).fill(0);
      for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) {
        const i = Math.floor(y * n / side) * n + Math.floor(x * n / side);
        out[i] += p[4 * (y * side + x)] / 255; count[i]++;
      }
      return nest(out.map((v, i) => +(v / count[i]).toFixed(4)), dims);
    };
    return [el('div', {}, el('label', {}, `${spec(input)}: draw here, white is 1`), canvas), value, reset];
  }
  function zeros(dims) { return dims.length ? Array.from({length: dims[0]}, () => zeros(dims.slice(1))) : 0; }
  function text(input) {
    const id = 'try-' + input.name, dims = input.shape.slice(1);
    const area = el('textarea', {id, class: 'mono', spellcheck: 'false'});
    area.value = JSON.stringify(zeros(dims));
    return [el('div', {}, el('label', {for: id}, spec(input) + ', one example as JSON'), area), () => JSON.parse(area.value), null];
  }
  function columns(s) {
    const fields = s.columns.map(column => {
      const id = 'try-' + column.name;
      const field = column.categories.length
        ? el('select', {id}, ...column.categories.map(v => el('option', {}, v)))
        : el('input', {id, inputmode: column.kind === 'NUMERIC' ? 'decimal' : 'text'});
      return [column, field, el('div', {}, el('label', {for: id}, column.name + (column.kind === 'DATE' ? ' (date)' : '')), field)];
    });
    read = () => Object.fromEntries(fields.map(([column, field]) => [column.name, field.value === '' ? null
      : column.kind === 'NUMERIC' && isFinite(field.value) ? Number(field.value) : field.value]));
    return el('div', {class: 'fields'}, ...fields.map(f => f[2]));
  }
  async function ask(model) {
    const answer = $('try-answer');
    try {
      const body = JSON.stringify({instances: [read()]});
      const began = performance.now();
      const response = await fetch('/v1/models/' + encodeURIComponent(model.name) + ':predict', {method: 'POST',
        headers: {...headers(), 'content-type': 'application/json'}, body});
      const text = await response.text(); // numbers may be NaN, which is not the browser's JSON
      const json = JSON.parse(response.ok ? text.replace(/-?\b(NaN|Infinity)\b/g, 'null') : text);
      const took = (performance.now() - began).toFixed(1) + ' ms from here and back';
      if (!response.ok) throw new Error(json.error || 'HTTP ' + response.status);
      let told = json.predictions[0];
      if (told && !Array.isArray(told) && typeof told === 'object') told = Object.values(told)[0];
      const labels = model.signature.labels;
      fill(answer, Array.isArray(told) && labels.length === told.length ? classes(labels, told)
        : el('pre', {class: 'mono'}, JSON.stringify(json.predictions[0], null, 1).slice(0, 4000)), el('p', {class: 'muted'}, took));
    } catch (e) {
      fill(answer, el('p', {class: 'error', role: 'alert'}, e.message));
    }
  }
  function classes(labels, values) {
    const total = values.reduce((a, b) => a + b, 0);
    let parts = values;
    if (values.some(v => v < 0) || Math.abs(total - 1) > 0.01) { // logits
      const most = Math.max(...values), e = values.map(v => Math.exp(v - most)), s = e.reduce((a, b) => a + b, 0);
      parts = e.map(v => v / s);
    }
    const order = parts.map((p, i) => [p, labels[i]]).sort((a, b) => b[0] - a[0]).slice(0, 10);
    return el('div', {}, el('h3', {id: 'told'}, order[0][1]), el('ul', {class: 'bars'}, ...order.map(([p, name]) =>
      el('li', {}, el('span', {class: 'name'}, name), bar([[p, 'fill1']]), el('span', {}, (100 * p).toFixed(1) + ' %')))));
  }

  // ---- Training
  function showTraining(list) {
    $('training').hidden = list.length === 0;
    const box = $('trainings');
    while (box.children.length > list.length) box.lastChild.remove();
    list.forEach((t, i) => {
      if (!box.children[i]) box.append(el('article', {class: 'card'}));
      const card = box.children[i], h = t.history;
      if (!card.firstChild) fill(card, el('div'), el('progress', {'aria-label': 'Epochs', max: 1, value: 0}), el('p', {class: 'muted'}), el('div', {class: 'two'}, el('figure'), el('figure')));
      const [head, progress, line, charts] = card.children;
      const now = h.length ? h[h.length - 1] : {};
      fill(head, el('div', {class: 'head'}, el('h3', {}, t.run), pill(el('span'), {running: 'ok', failed: 'bad'}[t.state] || '', t.state)));
      progress.max = t.epochs || 1; progress.value = t.state === 'done' ? progress.max : h.length;
      const left = h.length && t.state === 'running' ? (t.epochs - h.length) * h.reduce((s, e) => s + e.seconds, 0) / h.length : null;
      line.textContent = [`epoch ${h.length} of ${t.epochs}`, `step ${t.step.toLocaleString()}`, t.examplesPerSecond ? short(t.examplesPerSecond) + ' examples/s' : null,
        left !== null ? 'about ' + duration(left) + ' left' : null, t.stopReason, ...Object.keys(now).filter(k => !['epoch', 'seconds'].includes(k)).map(k => `${k} ${short(+now[k])}`)].filter(Boolean).join(' · ');
      // Losses over the epochs; while there are none yet, over the batches.
      const steps = t.batches, curves = ['loss', 'val_loss'].filter(k => h.some(e => k in e));
      if (h.length > 1) chart(charts.children[0], 'Loss', curves.map(k => ({name: k, values: h.map(e => +e[k])})), v => short(v), {labels: ['epoch 1', 'epoch ' + h.length], floating: true});
      else chart(charts.children[0], 'Loss of batches', [{name: 'loss', values: steps.map(p => p[1])}], v => short(v), {labels: ['step 1', 'step ' + t.step], floating: true});
      const metrics = [...new Set(h.flatMap(e => Object.keys(e)))].filter(k => !['epoch', 'seconds', 'loss', 'val_loss', 'learning_rate'].includes(k)).slice(0, 4);
      if (metrics.length && h.length > 1) chart(charts.children[1], 'Metrics', metrics.map(k => ({name: k, values: h.map(e => +e[k])})), v => short(v), {labels: ['epoch 1', 'epoch ' + h.length], floating: true});
      else chart(charts.children[1], 'Loss of batches', [{name: 'loss', values: steps.map(p => p[1])}], v => short(v), {labels: ['step 1', 'step ' + t.step], floating: true});
    });
  }

  async function update() {
    if (document.hidden && overview) return;
    try {
      const trainings = await get('api/training');
      showTraining(trainings.trainings);
      showOverview(await get('api/overview'));
      document.documentElement.dataset.loaded = 'yes';
    } catch (e) {
      pill($('state'), 'bad', e.message === 'access denied' ? 'access denied: give a key' : 'no connection');
      if (e.message === 'access denied') $('access').open = true;
    }
  }
  $('token-form').addEventListener('submit', event => {
    event.preventDefault();
    sessionStorage.setItem('token', $('token').value);
    $('access').open = false;
    update();
  });
  update();
  setInterval(update, 2000);
  document.addEventListener('visibilitychange', update);
})();
