import { defineConfig, type Plugin } from 'vite';

/** Holds the first paint until the remembered theme is set, so that a dark page never flashes white. */
const renderBlocking: Plugin = {
  name: 'render-blocking-entry',
  apply: 'build',
  transformIndexHtml: {
    order: 'post',
    handler: (html) => html.replace('<script type="module"', '<script type="module" blocking="render"'),
  },
};

export default defineConfig({
  base: './',
  plugins: [renderBlocking],
  build: {
    // The server's policy is `default-src 'self'`: no data: urls, nothing inline.
    assetsInlineLimit: 0,
    modulePreload: false,
    target: 'es2022',
    cssTarget: ['chrome123', 'edge123', 'firefox120', 'safari17.5'],
  },
  worker: { format: 'es' },
  server: {
    // `npm run dev` talks to a server started beside it.
    proxy: { '/ws': { target: 'http://127.0.0.1:8080', ws: true } },
  },
});
