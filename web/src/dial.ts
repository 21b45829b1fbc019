import { Versions } from '@stomp/stompjs';
import { loadSockJs } from './sockjs-client.ts';
import { type Choice, sockJsTransports } from './transport.ts';

/** Loads what a socket needs, and answers with the way to open it. */
export type Dial = () => Promise<() => DialledSocket>;

/** A WebSocket or what sockjs-client gives in its place. */
export type DialledSocket = WebSocket & {
  /** The transport of sockjs-client, once it is open. */
  readonly transport?: string;
};

/** Opens a plain WebSocket. */
export function dialWebSocket(page: URL): Dial {
  const url = webSocketUrl(page);
  return async () => () => new WebSocket(url, Versions.default.protocolVersions());
}

/** Opens SockJS. Its client is loaded when it is first needed: most connections get through without. */
export function dialSockJs(page: URL, choice: Exclude<Choice, 'websocket'>): Dial {
  const url = new URL('/ws', page).href;
  return async () => {
    const SockJS = await loadSockJs();
    return () => new SockJS(url, undefined, { transports: sockJsTransports(choice) });
  };
}

/** The plain WebSocket endpoint of the server that `page` came from. */
export function webSocketUrl(page: URL): string {
  const url = new URL('/ws', page);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}
