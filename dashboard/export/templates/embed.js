'use strict';
// In a frame on somebody's page: tells the page how high this one is, in the forms that newsroom pages listen for.
(function () {
  if (window.parent === window) return;
  var plot = document.querySelector('[data-height]');
  var chart = plot.dataset.chart || plot.id;
  var query = new URLSearchParams(location.search);
  var secret = (location.hash.match(/[?&#]secret=([A-Za-z0-9]+)/) || [])[1];
  var LEAST = 100; // AMP refuses less
  var WORDPRESS = 1000; // WordPress cuts off what is higher
  var resizer = null;
  var told = 0;

  function post(message) {
    window.parent.postMessage(message, '*');
  }

  function height() {
    return Math.max(LEAST, Math.ceil(document.body.getBoundingClientRect().height));
  }

  function fitWordPress() {
    var excess = height() - WORDPRESS;
    var before = +plot.dataset.height;
    if (secret && excess > 0) plot.dataset.height = Math.max(260, before - excess);
    if (+plot.dataset.height !== before) plot.style.height = plot.dataset.height + 'px'; // it is drawn again
  }

  function answerResizer(event) {
    if (resizer) post('[iFrameSizer]' + resizer + ':' + told + ':' + window.innerWidth + ':' + event);
  }

  function tell() {
    fitWordPress();
    var now = height();
    if (now === told) return;
    told = now;
    var datawrapper = {};
    datawrapper[chart] = now;
    post({ 'datawrapper-height': datawrapper });
    post({ sentinel: 'amp', type: 'embed-size', height: now });
    post(JSON.stringify({ src: location.href, context: 'iframe.resize', height: now }));
    if (query.get('childId')) post('pymxPYMx' + query.get('childId') + 'xPYMxheightxPYMx' + now);
    if (secret) post({ secret: secret, message: 'height', value: now });
    answerResizer('resize');
  }

  window.addEventListener('message', function (event) {
    if (event.source !== window.parent || typeof event.data !== 'string') return;
    var asked = event.data.match(/^\[iFrameSizer\]([^:]+):/);
    if (!asked) return;
    resizer = asked[1];
    answerResizer('init');
  });
  post({ sentinel: 'amp', type: 'embed-ready' });
  post('[iFrameResizerChild]Ready');
  new ResizeObserver(tell).observe(document.body);
  window.addEventListener('load', tell);
  if (document.fonts) document.fonts.ready.then(tell);
})();
