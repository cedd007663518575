'use strict';
// Words measured and broken into lines by the browser itself, so that every script breaks as its readers expect.

const pictureWords = (() => {
  const SVG = 'http://www.w3.org/2000/svg';

  // A date, a rank, the dot after a list's entry and the number before one stay with what they belong to.
  const TOGETHER = /(\d{1,2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b( \d{4})?|(no\.) (\d)| ·|(?<=· )\d{1,2} /g;

  // Which way words are read; `dir="auto"` would take a date in its isolates for the first of the words.
  const ISOLATE = /\u2068[^\u2069]*\u2069/g;
  const FIRST_IS_RTL = /^\P{L}*[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

  function lineBreaks(text, style, width, lang) {
    const box = document.getElementById('measure');
    box.lang = lang;
    const rtl = FIRST_IS_RTL.test(text.replace(ISOLATE, ''));
    box.dir = rtl ? 'rtl' : 'ltr';
    box.style.cssText =
      `width:${width}px;font:${style.weight} ${style.size}px/${style.leading} ${style.family};` +
      `text-wrap:${style.balance ? 'balance' : 'pretty'}`;
    box.textContent = text.replace(TOGETHER, found => found.replaceAll(' ', '\u00a0'));
    const height = style.size * style.leading;
    const top = box.getBoundingClientRect().top;
    const range = document.createRange();
    const lines = [];
    for (const part of new Intl.Segmenter(lang, { granularity: 'grapheme' }).segment(text)) {
      range.setStart(box.firstChild, part.index);
      range.setEnd(box.firstChild, part.index + part.segment.length);
      const place = [...range.getClientRects()].pop();
      if (!place) continue;
      const line = Math.max(0, Math.floor((place.top + place.height / 2 - top) / height));
      lines[line] = (lines[line] || '') + part.segment;
    }
    return { lines: Array.from(lines, line => (line || '').trim()), rtl, height };
  }

  // A block of text `width` wide whose top is at `y`: its SVG text elements, and its height.
  function block(text, style, x, y, width, lang) {
    if (!text.trim()) return { nodes: [], height: 0 };
    const { lines, rtl, height } = lineBreaks(text, style, width, lang);
    const nodes = lines.map((line, index) => {
      const node = document.createElementNS(SVG, 'text');
      node.setAttribute('x', rtl ? x + width : x);
      node.setAttribute('y', (y + height * index + height / 2 + style.size * 0.36).toFixed(2));
      node.setAttribute('font-family', style.family);
      node.setAttribute('font-size', style.size);
      node.setAttribute('font-weight', style.weight);
      node.setAttribute('fill', style.color);
      if (rtl) node.setAttribute('direction', 'rtl');
      node.textContent = line;
      return node;
    });
    return { nodes, height: height * lines.length };
  }

  function widthOf(text, style) {
    const pen = document.createElement('canvas').getContext('2d');
    pen.font = `${style.weight} ${style.size}px ${style.family}`;
    return pen.measureText(text).width;
  }

  // The characters that no font on this computer can draw: they look like the one that is not a character at all.
  function undrawable(text, family) {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 24;
    const pen = canvas.getContext('2d', { willReadFrequently: true });
    const look = sign => {
      pen.clearRect(0, 0, 24, 24);
      pen.font = `16px ${family}`;
      pen.fillText(sign, 2, 18);
      return pen.getImageData(0, 0, 24, 24).data.join();
    };
    const unusual = new Set([...text].filter(sign => /[^\u0000-\u024f\u2000-\u206f\p{M}\p{Cf}]/u.test(sign)));
    if (!unusual.size) return [];
    const missing = look('\u{10ffff}');
    return [...unusual].filter(sign => look(sign) === missing);
  }

  return { block, widthOf, undrawable };
})();
