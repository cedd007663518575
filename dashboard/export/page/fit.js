'use strict';
// What makes a figure fit its place: rows that can be read, names at line ends moved apart, nothing cut or overlapping.

const pictureFit = (() => {
  const MILD = 0.08; // of the smaller text's area: letters that touch
  const SERIOUS = 0.25;
  const INK = { above: 0.2, below: 0.16 }; // of a line's height: where a line of text has no ink
  const EDGE = 0.03; // of the longest side: what an empty side keeps
  const READABLE = 7; // pixels of the sheet

  // Show the first rows of a chart of rows where not all can be read; returns how many, or 0 where all fit.
  function keepRows(layout, rows, height) {
    if (!rows) return 0;
    const fit = Math.floor((height - rows.around) / rows.least);
    if (fit >= rows.count || fit < 3) return 0;
    const axis = (layout[rows.axis] = { ...(layout[rows.axis] || {}) });
    const half = 0.5;
    axis.range = rows.reversed
      ? [fit - 1 + half, -half]
      : [rows.count - fit - half, rows.count - 1 + half];
    axis.autorange = false;
    leaveNoEmptySide(layout, rows.reversed ? rows.values.slice(0, fit) : rows.values.slice(-fit));
    return fit;
  }

  // Where all the rows that are left lie on one side of zero, the other side has nothing to show.
  function leaveNoEmptySide(layout, values) {
    const range = layout.xaxis?.range;
    if (!values.length || !range) return;
    const [low, high] = range;
    if (low < 0 && high > 0 && Math.max(...values) <= 0) layout.xaxis.range = [low, -EDGE * low];
    if (low < 0 && high > 0 && Math.min(...values) >= 0) layout.xaxis.range = [-EDGE * high, high];
  }

  // What a clip path leaves visible of the things it is set on, in pixels of the page.
  function clipOf(holder, cache) {
    if (cache.has(holder)) return cache.get(holder);
    const id = (holder.getAttribute('clip-path') || '').match(/#([^"')]+)/);
    const rect = id && document.getElementById(id[1])?.querySelector('rect');
    let clip = null;
    if (rect) {
      const [x, y, width, height] = ['x', 'y', 'width', 'height'].map(key => +(rect.getAttribute(key) || 0));
      const at = holder.getScreenCTM();
      const from = new DOMPoint(x, y).matrixTransform(at);
      const to = new DOMPoint(x + width, y + height).matrixTransform(at);
      clip = { left: from.x, right: to.x, top: from.y, bottom: to.y };
    }
    cache.set(holder, clip);
    return clip;
  }

  function boxes(root) {
    const found = [];
    const cache = new Map();
    for (const node of root.querySelectorAll('text')) {
      const box = node.getBoundingClientRect();
      if (!node.textContent.trim() || box.width < 1 || box.height < 1) continue;
      if (getComputedStyle(node).visibility === 'hidden') continue;
      const seen = {
        node,
        left: box.left,
        right: box.right,
        top: box.top + box.height * INK.above,
        bottom: box.bottom - box.height * INK.below,
      };
      const holder = node.closest('[clip-path]');
      const clip = holder && clipOf(holder, cache);
      if (clip) {
        const middle = (box.top + box.bottom) / 2;
        if (middle < clip.top || middle > clip.bottom) continue;
        if (box.right < clip.left || box.left > clip.right) continue;
        seen.clipped = box.left < clip.left - 1 || box.right > clip.right + 1;
      }
      found.push(seen);
    }
    return found;
  }

  // Type smaller than what paper allows is set at that; `parts` are of a figure.
  function raiseType(parts, least) {
    for (const part of Object.values(parts)) {
      if (part === null || typeof part !== 'object' || ArrayBuffer.isView(part)) continue;
      for (const [name, font] of Object.entries(part)) {
        if (!/font$/.test(name) || !font) continue;
        if (typeof font.size === 'number') font.size = Math.max(font.size, least);
      }
      raiseType(part, least);
    }
  }

  // Words that Plotly shrank to fit into something small, until nobody can read them.
  function dropUnreadable(root, least) {
    for (const node of [...root.querySelectorAll('text')]) {
      const scale = node.getScreenCTM();
      const size = parseFloat(getComputedStyle(node).fontSize) * Math.hypot(scale.a, scale.b);
      if (size < Math.max(READABLE, least * 0.99)) node.remove();
    }
  }

  function outside(root, frame) {
    const over = { left: 0, right: 0, top: 0, bottom: 0, words: '' };
    for (const box of boxes(root)) {
      if (box.clipped) over.words = box.node.textContent;
      const excess = {
        left: frame.left - box.left,
        right: box.right - frame.right,
        top: frame.top - box.top,
        bottom: box.bottom - frame.bottom,
      };
      for (const side of Object.keys(excess)) {
        if (excess[side] > 1 && excess[side] > over[side]) {
          over[side] = excess[side];
          over.words = box.node.textContent;
        }
      }
    }
    return over;
  }

  function overlaps(root) {
    const found = boxes(root);
    let worst = 0;
    let words = [];
    for (let i = 0; i < found.length; i++) {
      for (let j = i + 1; j < found.length; j++) {
        const a = found[i];
        const b = found[j];
        const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (width <= 1 || height <= 1) continue;
        const area = box => (box.right - box.left) * (box.bottom - box.top);
        const share = (width * height) / Math.min(area(a), area(b));
        if (share > worst) {
          worst = share;
          words = [a.node.textContent, b.node.textContent];
        }
      }
    }
    return { worst, words, mild: worst > MILD, serious: worst > SERIOUS };
  }

  // Names at the right end of a panel, moved apart as far as they need, in the order they stand in.
  function spreadEndNames(svg, annotations, frame) {
    const panels = new Map();
    annotations.forEach((annotation, index) => {
      if (!String(annotation.xref).endsWith('domain') || annotation.x !== 1 || annotation.showarrow) return;
      const group = svg.querySelector(`.annotation[data-index="${index}"]`);
      if (!group || annotation.visible === false) return;
      const box = group.getBoundingClientRect();
      const panel = `${annotation.xref} ${annotation.yref}`;
      const names = panels.get(panel) || [];
      names.push({ group, top: box.top, height: box.height * 0.86, box });
      panels.set(panel, names);
    });
    for (const names of panels.values()) moveApart(names, frame);
  }

  // The least movement that leaves each name its height: neighbours that overlap become one block around their middle.
  function moveApart(names, frame) {
    names.sort((a, b) => a.top - b.top);
    const blocks = [];
    for (const name of names) {
      let block = { names: [name], height: name.height, middle: name.top + name.height / 2 };
      for (let above = blocks.at(-1); above && touches(above, block); above = blocks.at(-1)) {
        blocks.pop();
        const all = [...above.names, ...block.names];
        const weight = above.names.length / all.length;
        const middle = above.middle * weight + block.middle * (1 - weight);
        block = { names: all, height: above.height + block.height, middle };
      }
      blocks.push(block);
    }
    let floor = frame.bottom;
    for (const block of blocks.reverse()) {
      const top = Math.max(Math.min(block.middle - block.height / 2, floor - block.height), frame.top);
      floor = top;
      let place = top;
      for (const name of block.names) {
        shift(name.group, place - name.top);
        place += name.height;
      }
    }
  }

  const touches = (above, below) => above.middle + above.height / 2 > below.middle - below.height / 2;

  function shift(group, distance) {
    if (Math.abs(distance) < 0.05) return;
    const before = group.getAttribute('transform') || '';
    group.setAttribute('transform', `translate(0,${distance.toFixed(2)}) ${before}`.trim());
  }

  return { keepRows, raiseType, dropUnreadable, outside, overlaps, spreadEndNames };
})();
