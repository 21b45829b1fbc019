import { LOST } from './reason.ts';
import type { OpenWire } from './stomp-wire.ts';

/**
 * Opens `first`; where that is lost before the server said a word, opens `second` in its place.
 *
 * An answer is an answer: what the server refused one way it would refuse the other way too.
 */
export function orElse(first: OpenWire, second: OpenWire): OpenWire {
  return (who, events) => {
    let settled = false;
    let wire = first(who, {
      ...events,
      connected: (headers, transport) => {
        settled = true;
        events.connected(headers, transport);
      },
      error: (headers, body) => {
        settled = true;
        events.error(headers, body);
      },
      closed: (code, reason) => {
        if (settled || code !== LOST) events.closed(code, reason);
        else wire = second(who, events);
      },
    });
    return {
      subscribe: (destination, id, receipt) => wire.subscribe(destination, id, receipt),
      unsubscribe: (id) => wire.unsubscribe(id),
      send: (destination, body, receipt) => wire.send(destination, body, receipt),
      renew: (token, receipt) => wire.renew(token, receipt),
      close: () => {
        settled = true;
        wire.close();
      },
    };
  };
}
