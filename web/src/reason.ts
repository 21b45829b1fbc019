import { shorten } from './chat-message.ts';

/** Why a connection ended or a frame was refused, in words. */
export interface Reason {
  /** The server's code, where it gave one. */
  code?: string;
  text: string;
  /** Whether coming back may help; unknown when the server did not say. */
  retry?: boolean;
}

const MAX_REASON = 300;

/** Reads an ERROR frame: its `code`, `message` and `retry` headers, or the body where there is no message. */
export function errorReason(headers: Readonly<Record<string, string>>, body: string): Reason {
  const text = headers.message || body.trim() || 'the server sent an error without a word';
  const reason: Reason = { text: shorten(text, MAX_REASON) };
  if (headers.code) reason.code = headers.code;
  if (headers.retry === 'true' || headers.retry === 'false') reason.retry = headers.retry === 'true';
  return reason;
}

/**
 * Reads how a WebSocket closed.
 *
 * Source: RFC 6455, section 7.4.1, the registry of close codes, and for 4000-4999 the server's table of reasons:
 * 4000-4499 may come back, 4500-4999 need not try.
 */
export function closeReason(code: number, said: string): Reason {
  const text = said || CLOSE_CODES[code] || `the connection closed with code ${code}`;
  const reason: Reason = { text: shorten(text, MAX_REASON) };
  if (FINAL.has(code) || (code >= 4500 && code <= 4999)) reason.retry = false;
  else if (PASSING.has(code) || (code >= 4000 && code <= 4499)) reason.retry = true;
  return reason;
}

/**
 * Reads how a WebSocket or sockjs-client closed.
 *
 * What the server says with a close frame of SockJS is a clean close. The other closes are of sockjs-client's own
 * making: its codes for a server or a transport that it could not reach would read as the server's, 1002 even as a fault
 * of this page, and of a lost connection it tells its own call and not the cause.
 */
export function readClose(event: { code: number; reason: string; wasClean: boolean }): {
  code: number;
  reason: string;
} {
  const words = event.wasClean ? undefined : NOT_SAID_BY_THE_SERVER[event.code];
  if (words === undefined) return { code: event.code, reason: event.reason };
  return { code: LOST, reason: words };
}

/** `text [code]`, with a capital letter and a full stop, for a sentence of its own. */
export function sentence(reason: Reason): string {
  const text = reason.text.charAt(0).toUpperCase() + reason.text.slice(1).replace(/[.\s]+$/, '');
  return reason.code === undefined ? `${text}.` : `${text} (${reason.code}).`;
}

/** The close code of a connection that was lost, or never made. */
export const LOST = 1006;
/** The close code of what would be refused again. */
export const REFUSED = 1008;
/** When nothing came from the server at all. */
export const NO_ANSWER = 'the server did not answer';

const NOT_SAID_BY_THE_SERVER: Readonly<Record<number, string>> = {
  1002: NO_ANSWER,
  1006: '',
  2000: 'this transport did not get through',
};

/** Codes that blame what the client did. */
const FINAL = new Set([1002, 1003, 1007, 1008, 1009]);
/** Codes that blame the server's own state. */
const PASSING = new Set([1001, 1011, 1012, 1013]);

const CLOSE_CODES: Readonly<Record<number, string>> = {
  1000: 'the server closed the connection',
  1001: 'the server is going away',
  1002: 'the server saw a fault in the protocol',
  1006: 'the connection was lost',
  1008: 'the server refused by its rules',
  1009: 'a message was too big for the server',
  1011: 'the server failed inside',
  1012: 'the server restarts',
  1013: 'the server is too busy, try later',
};
