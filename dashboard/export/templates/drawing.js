'use strict';
// Draws a figure in a place on a page, and keeps it whole on paper.
function aimiDraw(place, figure, locale, config) {
  if (locale) Plotly.register(locale);
  place.replaceChildren();
  return Plotly.newPlot(place, figure.data, figure.layout, config).then(function () {
    function scalable() { // on paper the style sheet makes the drawing as wide as the page
      var first = place.querySelector('.main-svg');
      var width = first.clientWidth || +first.getAttribute('width');
      var height = first.clientHeight || +first.getAttribute('height');
      place.querySelectorAll('.main-svg').forEach(function (drawn) {
        drawn.setAttribute('viewBox', '0 0 ' + width + ' ' + height);
        drawn.setAttribute('aria-hidden', 'true');
      });
      place.querySelector('.svg-container').style.aspectRatio = width + '/' + height;
    }
    scalable();
    place.on('plotly_afterplot', scalable);
  });
}
window.addEventListener('beforeprint', function () {
  document.querySelectorAll('details').forEach(function (part) { part.open = true; });
});
