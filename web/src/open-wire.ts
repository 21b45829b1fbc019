import { dialSockJs, dialWebSocket } from './dial.ts';
import { orElse } from './fallback.ts';
import type { FrameLog } from './frame-log.ts';
import { type OpenWire, stompOver } from './stomp-wire.ts';
import type { Choice } from './transport.ts';

/** A plain WebSocket that is not CONNECTED after so many milliseconds gives way to SockJS. */
const WEB_SOCKET_PATIENCE = 3_000;

/**
 * The way to the server that was chosen.
 *
 * Automatic begins with a plain WebSocket and not, as sockjs-client alone would, with a question to `/ws/info`: where
 * WebSocket gets through, which is nearly everywhere, that spares a round trip and 58 KB of script, and works with a
 * server whose SockJS is off. Where it does not, SockJS finds what does.
 */
export function openWire(page: URL, choice: Choice, log: FrameLog): OpenWire {
  switch (choice) {
    case 'websocket':
      return stompOver(dialWebSocket(page), log);
    case 'automatic':
      return orElse(
        stompOver(dialWebSocket(page), log, WEB_SOCKET_PATIENCE),
        stompOver(dialSockJs(page, choice), log),
      );
    default:
      return stompOver(dialSockJs(page, choice), log);
  }
}
