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

/**
 * Puts the browser build of sockjs-client beside the page, under its own name: the page loads it when it needs it, the
 * server gives it to the iframes of SockJS and to whoever asks for it.
 */
const sockJsFile: Plugin = {
  name: 'sockjs-file',
  apply: 'build',
  buildStart() {
    const read = (path: string) => readFileSync(`node_modules/sockjs-client/${path}`, 'utf8').trim();
    // The source map that it names is not there.
    const code = read('dist/sockjs.min.js').replace(/\/\/# sourceMappingURL=.*/, '');
    const source = `/*!\n${read('LICENSE')}\n*/\n${code}`;
    this.emitFile({ type: 'asset', fileName: 'sockjs.min.js', source });
  },
};

export default defineConfig({
  base: './',
  plugins: [renderBlocking, sockJsFile],
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
    proxy: {
      '/ws': { target: 'http://127.0.0.1:8080', ws: true },
      '/sockjs.min.js': 'http://127.0.0.1:8080',
    },
  },
});
