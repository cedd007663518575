// `npm install --ignore-scripts && npm run build` in this folder: after a new version of the Python package plotly, or
// when a chart needs another kind of trace (name it in charts.js).
import { readFileSync } from 'node:fs';
import esbuild from 'esbuild';
import { environmentPlugin } from 'esbuild-plugin-environment';

const { version } = JSON.parse(readFileSync('node_modules/plotly.js/package.json', 'utf-8'));
const banner = `/**
* plotly.js v${version}, with the traces scatter, bar, heatmap, treemap and candlestick alone
* Copyright 2012-2026, Plotly, Inc.
* All rights reserved.
* Licensed under the MIT license
*/`;

await esbuild.build({
  entryPoints: ['charts.js'],
  outfile: '../../dashboard/static/plotly-charts.min.js',
  bundle: true,
  minify: true,
  format: 'iife',
  globalName: 'Plotly',
  charset: 'ascii',
  target: 'es2020',
  legalComments: 'eof',
  banner: { js: banner },
  loader: { '.css': 'empty' }, // that of maps
  alias: { stream: 'stream-browserify' },
  define: { global: 'window', 'define.amd': 'false' },
  plugins: [environmentPlugin({ NODE_DEBUG: false })],
});
