'use strict';
// Draws a figure in a place on a page: as wide as the place, smaller where its words would be cut off or lie on each other,
// whole on paper.
function drawChart(place, figure, locale, config) {
  var SMALLER = [1, 1.12, 1.25, 1.4, 1.6, 1.85, 2.1];
  var SLACK = 2; // pixels beside the ink of a word
  var COVERED = 0.25; // of the smaller word
  var drawn = document.createElement('div');
  var width = 0;
  var height = 0;

  function whole() {
    var frame = drawn.querySelector('.main-svg').getBoundingClientRect();
    return Array.from(drawn.querySelectorAll('.main-svg text')).every(function (word) {
      var box = word.getBoundingClientRect();
      if (!word.textContent.trim() || box.width < 1) return true;
      if (word.closest('[clip-path]') && (box.left > frame.right || box.right < frame.left)) return true;
      return box.left >= frame.left - SLACK && box.right <= frame.right + SLACK && box.bottom <= frame.bottom + SLACK;
    });
  }

  function apart() {
    var boxes = Array.from(drawn.querySelectorAll('.main-svg text'), function (word) {
      return word.textContent.trim() ? word.getBoundingClientRect() : { width: 0, height: 0 };
    }).filter(function (box) { return box.width >= 1; }).sort(function (a, b) { return a.top - b.top; });
    return boxes.every(function (box, place) {
      for (var next = place + 1; next < boxes.length && boxes[next].top < box.bottom; next++) {
        var other = boxes[next];
        var across = Math.min(box.right, other.right) - Math.max(box.left, other.left);
        var down = Math.min(box.bottom, other.bottom) - other.top;
        var least = Math.min(box.width * box.height, other.width * other.height);
        if (across > 0 && down > 0 && across * down > COVERED * least) return false;
      }
      return true;
    });
  }

  function scalable() { // on paper the style sheet makes the drawing as wide as the page
    var size = drawn._fullLayout;
    drawn.querySelectorAll('.main-svg').forEach(function (part) {
      part.setAttribute('viewBox', '0 0 ' + size.width + ' ' + size.height);
      part.setAttribute('aria-hidden', 'true');
    });
    drawn.querySelector('.svg-container').style.aspectRatio = size.width + '/' + size.height;
  }

  function attempt(turn, settled) {
    var by = SMALLER[turn];
    drawn.style.cssText =
      'width:' + width * by + 'px;height:' + height * by + 'px;transform-origin:0 0;transform:scale(' + 1 / by + ')';
    place.style.height = height + 'px';
    drawn.querySelectorAll('.main-svg').forEach(function (part) { part.removeAttribute('viewBox'); });
    return Plotly.relayout(drawn, { width: width * by, height: height * by }).then(function () {
      if (settled !== undefined && turn === settled) return scalable(); // nothing smaller sets its words apart
      var uncut = whole();
      if (uncut && apart()) return scalable();
      if (uncut && settled === undefined) settled = turn;
      if (turn + 1 < SMALLER.length) return attempt(turn + 1, settled);
      return settled === undefined ? scalable() : attempt(settled, settled);
    });
  }

  function fit() {
    if (place.clientWidth === width && +place.dataset.height === height) return Promise.resolve();
    width = place.clientWidth;
    height = +place.dataset.height;
    return attempt(0);
  }

  if (locale) Plotly.register(locale);
  place.replaceChildren(drawn);
  config.responsive = false;
  return Promise.all(Array.from(document.fonts, function (font) { return font.load(); }))
    .catch(function () {}) // another font then
    .then(function () { return Plotly.newPlot(drawn, figure.data, figure.layout, config); })
    .then(fit)
    .then(function () { new ResizeObserver(fit).observe(place); });
}
window.addEventListener('beforeprint', function () {
  var PAPER = 640; // pixels across A4 and Letter, margins off
  document.querySelectorAll('details').forEach(function (part) { part.open = true; });
  document.querySelectorAll('.scroll table').forEach(function (table) {
    table.style.zoom = Math.min(1, PAPER / table.offsetWidth);
  });
});
window.addEventListener('afterprint', function () {
  document.querySelectorAll('.scroll table').forEach(function (table) { table.style.zoom = ''; });
});
