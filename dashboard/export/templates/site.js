'use strict';
// Makes the pictures of this page interactive as they come into view; without it they stay pictures.
(function () {
  var root = document.currentScript.dataset.root;
  var library = null;

  function load(address) {
    return new Promise(function (resolve, reject) {
      var script = document.createElement('script');
      script.src = address;
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
  }

  window.aimiFigure = function (name, figure, locale, config) {
    var place = document.querySelector('[data-chart="' + name + '"]');
    if (!place) return;
    if (locale) Plotly.register(locale);
    var picture = place.querySelector('img, p');
    var drawn = document.createElement('div');
    drawn.style.height = place.dataset.height + 'px';
    drawn.setAttribute('role', 'img');
    drawn.setAttribute('aria-label', picture ? picture.alt || picture.textContent : '');
    place.append(drawn);
    Plotly.newPlot(drawn, figure.data, figure.layout, config).then(function () {
      if (picture) picture.remove();
      place.dataset.interactive = 'yes';
    });
  };

  var watcher = new IntersectionObserver(function (seen) {
    seen.forEach(function (entry) {
      if (!entry.isIntersecting) return;
      watcher.unobserve(entry.target);
      library = library || load(root + 'plotly.min.js');
      library.then(function () { return load(entry.target.dataset.script); }).catch(function () {});
    });
  }, { rootMargin: '400px' });
  document.querySelectorAll('[data-chart]').forEach(function (place) { watcher.observe(place); });
})();
