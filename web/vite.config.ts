import { readFileSync } from 'node:fs';
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

const sockJsLicence = `/*!\n${readFileSync('node_modules/sockjs-client/LICENSE', 'utf8').trim()}\n*/\n`;

/**
 * Puts the browser build of sockjs-client beside the page, under its own name: the server gives it to the iframes of
 * SockJS and to whoever asks for it.
 */
const sockJsFile: Plugin = {
  name: 'sockjs-file',
  apply: 'build',
  buildStart() {
    const code = readFileSync('node_modules/sockjs-client/dist/sockjs.min.js', 'utf8');
    // The source map that it names is not there.
    const source = sockJsLicence + code.replace(/\n\/\/# sourceMappingURL=.*/, '');
    this.emitFile({ type: 'asset', fileName: 'sockjs.min.js', source });
  },
};

export default defineConfig({
  base: './',
  plugins: [renderBlocking, sockJsFile],
  resolve: {
    // Its sources expect what Node has; the browser build needs nothing.
    alias: [{ find: /^sockjs-client$/, replacement: 'sockjs-client/dist/sockjs.min.js' }],
  },
  build: {
    // The server's policy is `default-src 'self'`: no data: urls, nothing inline.
    assetsInlineLimit: 0,
    modulePreload: false,
    rolldownOptions: {
      output: { postBanner: ({ name }) => (name === 'sockjs.min' ? sockJsLicence : '') },
    },
    target: 'es2022',
    cssTarget: ['chrome123', 'edge123', 'firefox120', 'safari17.5'],
  },
  worker: { format: 'es' },
  server: {
    // `npm run dev` talks to a server started beside it.
    proxy: { '/ws': { target: 'http://127.0.0.1:8080', ws: true } },
  },
});
