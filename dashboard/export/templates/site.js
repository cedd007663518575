'use strict';
// Makes the pictures of this page interactive: where they come into view (data-at="sight") or when a reader points at
// one, touches it or asks for it with the keyboard (data-at="wish"). Without it they stay pictures.
(function () {
  var own = document.currentScript.dataset;
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

  function wake(place) {
    if (place.dataset.woken) return;
    place.dataset.woken = 'yes';
    library = library || load(own.root + 'plotly.min.js');
    library.then(function () { return load(place.dataset.script); }).catch(function () {
      delete place.dataset.woken;
    });
  }

  window.siteFigure = function (name, figure, locale, config) {
    var place = document.querySelector('[data-chart="' + name + '"]');
    if (!place) return;
    var before = place.querySelector('img, p');
    var said = before ? before.alt || before.textContent : '';
    place.setAttribute('role', 'group');
    place.setAttribute('aria-label', said);
    place.style.minHeight = place.offsetHeight + 'px'; // what is below stays where it is
    var asked = place.parentNode.querySelector('.wish');
    if (asked && document.activeElement === asked) {
      place.tabIndex = -1;
      place.focus();
    }
    if (asked) asked.remove();
    drawChart(place, figure, locale, config).then(function () {
      place.style.minHeight = '';
      place.dataset.interactive = 'yes';
    });
  };

  var watcher = new IntersectionObserver(function (seen) {
    seen.forEach(function (entry) { if (entry.isIntersecting) wake(entry.target); });
  });
  document.querySelectorAll('[data-chart]').forEach(function (place) {
    if (own.at === 'sight') {
      if (!place.querySelector('img')) place.style.minHeight = place.dataset.height + 'px';
      watcher.observe(place);
      return;
    }
    var ask = document.createElement('button');
    ask.type = 'button';
    ask.className = 'wish';
    ask.textContent = 'Interactive chart';
    ask.addEventListener('click', function () { wake(place); });
    (place.parentNode.querySelector('.files') || place).append(ask); // on the picture it would hide a word of it
    ['pointerenter', 'touchstart'].forEach(function (event) {
      place.addEventListener(event, function () { wake(place); }, { passive: true });
    });
  });
})();
