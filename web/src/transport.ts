/** How a connection travels. All but `websocket` are SockJS; the names are those of sockjs-client. */
export type Transport = 'websocket' | 'sockjs-websocket' | SockJsHttp;
type SockJsHttp = 'xhr-streaming' | 'eventsource' | 'xhr-polling';

/** What a person may ask for. */
export type Choice = 'automatic' | Transport;

/**
 * What the page offers. htmlfile, JSONP and the iframe transports are for browsers that cannot run this page, and a
 * server leaves them out unless told otherwise.
 */
export const CHOICES: readonly { choice: Choice; label: string; sockJs: boolean }[] = [
  { choice: 'automatic', label: 'Automatic', sockJs: false },
  { choice: 'websocket', label: 'WebSocket', sockJs: false },
  { choice: 'sockjs-websocket', label: 'SockJS WebSocket', sockJs: true },
  { choice: 'xhr-streaming', label: 'XHR streaming', sockJs: true },
  { choice: 'eventsource', label: 'EventSource', sockJs: true },
  { choice: 'xhr-polling', label: 'XHR polling', sockJs: true },
];

const WORDS: Readonly<Record<Transport, string>> = {
  websocket: 'WebSocket',
  'sockjs-websocket': 'WebSocket (SockJS)',
  'xhr-streaming': 'XHR streaming (SockJS)',
  eventsource: 'EventSource (SockJS)',
  'xhr-polling': 'XHR polling (SockJS)',
};

/** A transport for people. */
export function transportText(transport: Transport): string {
  return WORDS[transport];
}

/** The transport of an open socket, from the `transport` of sockjs-client; a plain WebSocket has none. */
export function transportOf(sockJs: string | undefined): Transport {
  if (sockJs === undefined) return 'websocket';
  return sockJs === 'websocket' ? 'sockjs-websocket' : (sockJs as SockJsHttp);
}

/** What sockjs-client may try, in its own words and order. */
export function sockJsTransports(choice: Exclude<Choice, 'websocket'>): string[] {
  if (choice === 'automatic') return ['websocket', 'xhr-streaming', 'eventsource', 'xhr-polling'];
  return [choice === 'sockjs-websocket' ? 'websocket' : choice];
}

const PARAMETER = 'transport';

/** Reads `?transport=` of a page's url; what nobody offers is automatic. */
export function readChoice(url: URL): Choice {
  const asked = url.searchParams.get(PARAMETER);
  return CHOICES.find(({ choice }) => choice === asked)?.choice ?? 'automatic';
}

/** The page's url with a choice in it, for bookmarks. */
export function withChoice(url: URL, choice: Choice): URL {
  const changed = new URL(url);
  if (choice === 'automatic') changed.searchParams.delete(PARAMETER);
  else changed.searchParams.set(PARAMETER, choice);
  return changed;
}
