import type SockJS from 'sockjs-client';

/** What the package sockjs-client exports. */
export type SockJsClient = typeof SockJS;

let loading: Promise<SockJsClient> | undefined;

/**
 * Loads sockjs-client, once.
 *
 * By a script element, not `import()`: of a module that could not be loaded, as when the server is away, many browsers
 * remember that it failed for as long as the page is open. And so the page needs no second copy of the file.
 */
export function loadSockJs(): Promise<SockJsClient> {
  loading ??= load().catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

function load(): Promise<SockJsClient> {
  return new Promise((loaded, failed) => {
    const script = document.createElement('script');
    script.src = './sockjs.min.js';
    script.addEventListener('load', () => loaded((globalThis as unknown as { SockJS: SockJsClient }).SockJS));
    script.addEventListener('error', () => {
      script.remove();
      failed(new Error('sockjs.min.js could not be loaded'));
    });
    document.head.append(script);
  });
}
