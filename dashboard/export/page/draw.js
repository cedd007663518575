'use strict';
// Draws one chart with its frame (title, measure, notes, source, credit) as a single SVG on this page.

const picture = (() => {
  const SVG = 'http://www.w3.org/2000/svg';
  // How the sheet is tried: larger than asked, so that words come out smaller. A sheet as high as its chart needs is
  // made higher first.
  const FIXED = [1, 1.12, 1.25, 1.4, 1.6].map(spread => ({ spread, stretch: 1 }));
  const GROWING = [
    { spread: 1, stretch: 1 },
    { spread: 1, stretch: 1.3 },
    { spread: 1, stretch: 1.7 },
    { spread: 1.25, stretch: 1.25 },
    { spread: 1.6, stretch: 1.6 },
  ];
  const ROWS_SPREAD = 1.25; // how small the words of a chart of rows may become before rows are left out
  let busy = false;

  async function sha256(text) {
    const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
    return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
  }

  // Plotly takes the ids of its clip paths from Math.random: the same spec gets the same ids, two specs never do.
  function seedRandom(token) {
    let state = parseInt(token.slice(0, 8), 16);
    Math.random = () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
  }

  const element = (name, attributes) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };

  // Title and measure above, a rule, notes, source and credit below, on a sheet `width` wide.
  function frame(job, width, extraNote) {
    const { style, words, lang } = job;
    const pad = style.pad;
    const inner = width - 2 * pad;
    const nodes = [];
    const silent = !Object.values(words).some(Boolean);
    if (silent) return { header: 0, footer: 0, above: [], under: [] };
    let y = pad;
    const put = (text, look, gap) => {
      const made = pictureWords.block(text, look, pad, y, inner, lang);
      if (made.height) {
        nodes.push(...made.nodes);
        y += made.height + gap;
      }
    };
    if (words.title) {
      nodes.push(element('rect', { x: pad, y: 0, width: 34, height: 5, fill: style.accent }));
      y += 3;
      put(words.title, style.title, 5);
    }
    put(words.subtitle, style.subtitle, 4);
    const header = y + 8;
    y = 0;
    const below = nodes.length;
    const rule = element('line', { x1: pad, x2: width - pad, y1: 0.5, y2: 0.5, stroke: style.rule });
    nodes.push(rule);
    y += 9;
    put([words.note, extraNote].filter(Boolean).join(' '), style.note, 5);
    const creditWidth = words.credit ? pictureWords.widthOf(words.credit, style.note) : 0;
    const sourceWidth = pictureWords.widthOf(words.source, style.note);
    if (sourceWidth + creditWidth + 24 <= inner) {
      const row = y;
      put(words.source, style.note, 0);
      y = row;
      const credit = pictureWords.block(words.credit, style.note, pad, y, inner, lang);
      for (const node of credit.nodes) {
        node.setAttribute('x', width - pad);
        node.setAttribute('text-anchor', node.getAttribute('direction') === 'rtl' ? 'start' : 'end');
      }
      nodes.push(...credit.nodes);
      y += style.note.size * style.note.leading;
    } else {
      put(words.source, style.note, 2);
      put(words.credit, style.note, 0);
    }
    const footer = y + pad * 0.7;
    return { header, footer, above: nodes.slice(0, below), under: nodes.slice(below) };
  }

  async function plot(job, width, height, margin, extra) {
    seedRandom(job.token);
    document.getElementById('sheet').replaceChildren(); // Plotly avoids the ids that it finds on the page
    const { layout, data } = structuredClone(job.figure);
    Object.assign(layout, { width, height, autosize: false });
    layout.paper_bgcolor = layout.plot_bgcolor = 'rgba(0,0,0,0)';
    layout.margin = { ...(layout.template?.layout?.margin || {}), ...(layout.margin || {}) };
    for (const side of Object.keys(margin)) {
      layout.margin[side] = (layout.margin[side] ?? 0) + margin[side];
    }
    pictureFit.raiseType([layout, data], extra.smallest);
    const shown = pictureFit.keepRows(layout, extra.cutRows ? job.rows : null, height);
    const text = await Plotly.toImage(
      { data, layout, config: { locale: job.locale?.name ?? 'en' } },
      { format: 'svg', imageDataOnly: true, width, height }
    );
    return { svg: new DOMParser().parseFromString(text, 'image/svg+xml').documentElement, shown };
  }

  function clean(svg) {
    for (const node of svg.querySelectorAll('script, foreignObject, a, image')) {
      if (node.localName === 'a') node.replaceWith(...node.childNodes);
      else if (node.localName !== 'image') node.remove();
      else if (!(node.getAttribute('xlink:href') || node.getAttribute('href') || '').startsWith('data:')) {
        node.remove();
      }
    }
  }

  // A heatmap's bitmap as rectangles, one path for each colour: rows of pixels that are alike, and in these runs.
  async function intoRectangles(svg) {
    for (const image of [...svg.querySelectorAll('image')]) {
      const picture = new Image();
      picture.src = image.getAttribute('xlink:href') || image.getAttribute('href');
      await picture.decode();
      const canvas = new OffscreenCanvas(picture.width, picture.height);
      const pen = canvas.getContext('2d');
      pen.drawImage(picture, 0, 0);
      const pixels = new Uint32Array(pen.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
      const number = name => +(image.getAttribute(name) || 0);
      const [x0, y0] = [number('x'), number('y')];
      const [dx, dy] = [number('width') / canvas.width, number('height') / canvas.height];
      const paths = new Map();
      const row = y => pixels.subarray(y * canvas.width, (y + 1) * canvas.width);
      const alike = (a, b) => row(a).every((pixel, x) => pixel === row(b)[x]);
      for (let top = 0, end; top < canvas.height; top = end) {
        for (end = top + 1; end < canvas.height && alike(top, end); ) end++;
        const line = row(top);
        for (let left = 0, right; left < canvas.width; left = right) {
          for (right = left + 1; right < canvas.width && line[right] === line[left]; ) right++;
          if (!(line[left] >>> 24)) continue;
          const size = `h${((right - left) * dx).toFixed(2)}v${((end - top) * dy).toFixed(2)}`;
          const path = `M${(x0 + left * dx).toFixed(2)},${(y0 + top * dy).toFixed(2)}${size}`;
          const back = `h${(-(right - left) * dx).toFixed(2)}z`;
          paths.set(line[left], (paths.get(line[left]) || '') + path + back);
        }
      }
      const group = element('g', { 'shape-rendering': 'crispEdges' });
      for (const [colour, d] of paths) {
        const [red, green, blue, alpha] = [0, 8, 16, 24].map(bits => (colour >>> bits) & 255);
        const fill = { d, fill: `rgb(${red},${green},${blue})`, 'fill-opacity': (alpha / 255).toFixed(3) };
        group.append(element('path', fill));
      }
      image.replaceWith(group);
    }
  }

  function compose(job, parts, figure, width, height) {
    const id = job.token.slice(0, 8);
    const svg = element('svg', {
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      lang: job.lang,
      'text-rendering': 'geometricPrecision',
      'aria-labelledby': `title-${id} desc-${id}`,
      'data-spec': job.token,
    });
    const title = element('title', { id: `title-${id}` });
    title.textContent = job.words.title || job.name;
    const desc = element('desc', { id: `desc-${id}` });
    desc.textContent = [job.alt, job.words.source, job.words.credit].filter(Boolean).join(' \u2014 ');
    svg.append(title, desc);
    if (job.style.background) svg.append(element('rect', { width, height, fill: job.style.background }));
    svg.append(...parts.above);
    figure.setAttribute('x', job.style.pad);
    figure.setAttribute('y', parts.header);
    figure.removeAttribute('style');
    svg.append(figure);
    const under = element('g', { transform: `translate(0,${(height - parts.footer).toFixed(2)})` });
    under.append(...parts.under);
    svg.append(under);
    return svg;
  }

  function marker(token) {
    const strip = element('svg', { id: 'strip', viewBox: '0 0 64 1', preserveAspectRatio: 'none' });
    const bits = BigInt(`0x${token.slice(0, 16)}`).toString(2).padStart(64, '0');
    [...bits].forEach((bit, x) => {
      const fill = bit === '1' ? '#ffffff' : '#000000';
      strip.append(element('rect', { x, y: 0, width: 1.01, height: 1, fill, 'shape-rendering': 'crispEdges' }));
    });
    return strip;
  }

  // One try: the sheet is `spread` times as large as asked and scaled down to its size when shown.
  async function attempt(job, { spread, stretch }) {
    const auto = !job.height;
    const width = job.width * spread;
    let extraNote = '';
    for (let again = 0; again < 3; again++) {
      const parts = frame(job, width, extraNote);
      const cssHeight = auto
        ? Math.ceil(((parts.header + job.natural * stretch + parts.footer) * job.css) / width)
        : (job.height * job.css) / job.width;
      const height = (cssHeight * width) / job.css;
      const room = height - parts.header - parts.footer;
      if (room < job.least) return { width, height, room, fits: false };
      const tried = await fill(job, parts, width, height, Math.floor(room), !auto);
      const wanted = tried.shown ? job.cutNote.replace('{shown}', tried.shown) : '';
      const squeezed = room < job.wanted;
      if (wanted === extraNote) return { width, height, cssHeight, room, squeezed, fits: true, ...tried };
      extraNote = wanted;
    }
    return { width, height: 0, room: 0, fits: false };
  }

  function placeOf(svg, pad, header, room) {
    const sheet = svg.getBoundingClientRect();
    const top = sheet.top + header;
    return { left: sheet.left + pad, right: sheet.right - pad, top, bottom: top + room };
  }

  async function fill(job, parts, width, height, room, cutRows) {
    const sheet = document.getElementById('sheet');
    const margin = { l: 0, r: 0, t: 0, b: 0 };
    for (let again = 0; ; again++) {
      const extra = { cutRows, smallest: (job.smallest * width) / job.width };
      const { svg: figure, shown } = await plot(job, width - 2 * job.style.pad, room, margin, extra);
      clean(figure);
      await intoRectangles(figure);
      const svg = compose(job, parts, document.importNode(figure, true), width, height);
      sheet.replaceChildren(svg, marker(job.token));
      svg.style.cssText = `width:${width}px;height:${height}px`;
      const inner = svg.querySelector('svg.main-svg');
      pictureFit.dropUnreadable(inner, job.smallest);
      const place = placeOf(svg, job.style.pad, parts.header, room);
      pictureFit.spreadEndNames(inner, job.figure.layout.annotations || [], place);
      const over = pictureFit.outside(inner, place);
      if ((over.left || over.right || over.top || over.bottom) && again < 2) {
        margin.l += Math.ceil(over.left);
        margin.r += Math.ceil(over.right);
        margin.t += Math.ceil(over.top);
        margin.b += Math.ceil(over.bottom);
        continue;
      }
      const cut = over.words || pictureFit.outside(svg, svg.getBoundingClientRect()).words;
      return { svg, shown, cut, overlap: pictureFit.overlaps(svg) };
    }
  }

  function better(a, b) {
    if (!b) return true;
    if (a.fits !== b.fits) return a.fits;
    if (!a.fits) return a.room > b.room;
    const rows = tried => (tried.shown ? tried.shown : Infinity);
    const overlap = tried => (tried.overlap.serious ? 2 : tried.overlap.mild ? 1 : 0);
    const faults = tried => (tried.cut ? 2 : 0) + overlap(tried) + (tried.squeezed ? 1 : 0);
    if (faults(a) !== faults(b)) return faults(a) < faults(b);
    return a.squeezed && b.squeezed ? a.room > b.room : rows(a) > rows(b);
  }

  async function draw(text) {
    if (busy) throw new Error('another chart is being drawn');
    busy = true;
    try {
      const job = JSON.parse(text);
      job.token = await sha256(text);
      await Promise.all([...document.fonts].map(font => font.load()));
      if (job.locale) Plotly.register(job.locale);
      let best = null;
      let chosen = 1;
      // On paper no word may become smaller than `leastType`, in pixels of the page.
      job.smallest = job.leastType * (job.width / job.css);
      for (const way of job.height ? FIXED : GROWING) {
        if (way.spread > 1 && way.spread * job.smallest > job.style.note.size) continue;
        if (best?.shown && way.spread < ROWS_SPREAD) continue;
        const tried = await attempt(job, way);
        if (better(tried, best)) {
          best = tried;
          chosen = way.spread;
        }
        const clear = tried.fits && !tried.cut && !tried.overlap.mild && !tried.squeezed;
        if (clear && (!tried.shown || way.spread >= ROWS_SPREAD)) break;
      }
      if (!best.fits) return { token: job.token, refused: 'words', room: best.room, least: job.least };
      document.getElementById('sheet').replaceChildren(best.svg, marker(job.token));
      document.title = job.token;
      const words = best.svg.textContent;
      return {
        token: job.token,
        width: best.width,
        height: best.height,
        cssHeight: best.cssHeight,
        spread: chosen,
        shown: best.shown,
        cut: best.cut,
        overlap: best.overlap.serious ? best.overlap.words : [],
        undrawable: pictureWords.undrawable(words, job.style.note.family),
      };
    } finally {
      busy = false;
    }
  }

  // The SVG as a file: `width` and `height` with their units.
  function file(width, height) {
    const svg = document.querySelector('#sheet > svg').cloneNode(true);
    svg.removeAttribute('style');
    svg.setAttribute('width', width);
    svg.setAttribute('height', height);
    return new XMLSerializer().serializeToString(svg);
  }

  // Show the sheet in exactly this many pixels, the marker of its spec in a strip below it.
  function show(width, height, strip) {
    const svg = document.querySelector('#sheet > svg');
    svg.setAttribute('preserveAspectRatio', 'none'); // whole pixels differ from the exact ratio by a fraction of one
    svg.style.cssText = `width:${width}px;height:${height}px`;
    document.getElementById('strip').style.cssText = `width:${width}px;height:${strip}px`;
  }

  return { draw, file, show };
})();
