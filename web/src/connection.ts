import { backoff } from './backoff.ts';
import { encodeChat } from './chat-message.ts';
import { agreedHeartBeat, type HeartBeat } from './heart-beat.ts';
import { closeReason, errorReason, type Reason } from './reason.ts';
import type { SignIn } from './sign-in.ts';
import type { OpenWire, Wire, WireEvents } from './stomp-wire.ts';
import { expiresIn } from './token-clock.ts';
import type { Transport } from './transport.ts';

/** Receipts that may be outstanding; beyond it a message waits for its turn. */
export const MAX_PENDING = 200;
/**
 * Where a server with an application tells what was wrong with a frame. Who does not listen there gets an ERROR, which ends
 * the connection.
 */
export const ERRORS = '/user/queue/errors';
/** A connection that held this long, in milliseconds, makes the next wait short again. */
export const STEADY = 10_000;

/** The code of an end that a new token helps against. */
const EXPIRED = 'token-expired';

export type Phase =
  | { kind: 'idle' }
  | { kind: 'connecting'; again: boolean }
  | {
      kind: 'connected';
      transport: Transport;
      version: string;
      heartBeat: HeartBeat;
      server: string;
      user: string;
    }
  | { kind: 'waiting'; until: number; reason: Reason }
  | { kind: 'closed'; reason: Reason };

/** What a connection tells the page. */
export interface ConnectionEvents {
  phase(phase: Phase): void;
  /** So many milliseconds are left to the session, from now, unless its token is renewed; none where it has no end. */
  proven(left: number | undefined): void;
  joined(destination: string): void;
  refused(destination: string, reason: Reason): void;
  message(destination: string, body: string, headers: Readonly<Record<string, string>>): void;
  /** A message was confirmed, `milliseconds` after it was sent. */
  confirmed(milliseconds: number): void;
  /** A message was refused, or the connection went before it was confirmed. */
  unconfirmed(destination: string, text: string, reason: Reason): void;
}

type Pending =
  | { kind: 'renew' }
  | { kind: 'join'; destination: string }
  | { kind: 'say'; destination: string; text: string; at: number };

interface Outside {
  open: OpenWire;
  offered: HeartBeat;
  /** Milliseconds, never going back. */
  now: () => number;
  random: () => number;
}

/** Stays connected until told otherwise: dials, waits, dials again, and joins the topics again. */
export class Connection {
  readonly #outside: Outside;
  readonly #events: ConnectionEvents;
  readonly #wanted = new Map<string, string>();
  readonly #pending = new Map<string, Pending>();
  #who: SignIn = { name: '' };
  #user = '';
  #phase: Phase = { kind: 'idle' };
  #wire: Wire | undefined;
  #dials = 0;
  #attempt = 0;
  #connectedAt = 0;
  #error: Reason | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #count = 0;

  constructor(outside: Outside, events: ConnectionEvents) {
    this.#outside = outside;
    this.#events = events;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Connects as somebody. A connection that is there is left first. */
  connect(who: SignIn): void {
    this.#hangUp('you disconnected');
    this.#who = who;
    this.#user = who.name;
    this.#attempt = 0;
    this.#dial(false);
  }

  /** Leaves the connection for another under the same name, where there is one or the page waits for one. */
  change(why: string): void {
    if (this.#phase.kind === 'idle' || this.#phase.kind === 'closed') return;
    this.#hangUp(why);
    this.#attempt = 0;
    this.#dial(false);
  }

  disconnect(): void {
    this.#hangUp('you disconnected');
    this.#enter({ kind: 'idle' });
  }

  /** Ends the wait now. */
  retry(): void {
    if (this.#phase.kind !== 'waiting') return;
    clearTimeout(this.#timer);
    this.#dial(true);
  }

  join(destination: string): void {
    if (this.#wanted.has(destination)) return;
    this.#wanted.set(destination, this.#name('topic'));
    this.#subscribe(destination);
  }

  leave(destination: string): void {
    const id = this.#wanted.get(destination);
    if (id === undefined) return;
    this.#wanted.delete(destination);
    if (this.#phase.kind === 'connected') this.#wire?.unsubscribe(id);
  }

  /** Sends a chat message; `false` when that is not possible now. */
  say(destination: string, text: string): boolean {
    return this.send(destination, encodeChat({ from: this.#user, text, sent: Date.now() }), text);
  }

  /**
   * Sends JSON; `false` when that is not possible now.
   *
   * @param text what it is to the person who sent it
   */
  send(destination: string, body: string, text: string): boolean {
    if (this.#phase.kind !== 'connected' || this.#pending.size >= MAX_PENDING) return false;
    const receipt = this.#name('say');
    this.#pending.set(receipt, { kind: 'say', destination, text, at: this.#outside.now() });
    this.#wire?.send(destination, body, receipt);
    return true;
  }

  /** Brings the session's next token. */
  renew(token: string): void {
    if (this.#phase.kind !== 'connected') return;
    const receipt = this.#name('renew');
    this.#pending.set(receipt, { kind: 'renew' });
    this.#wire?.renew(token, receipt);
  }

  #hangUp(why: string): void {
    clearTimeout(this.#timer);
    const wire = this.#wire;
    this.#wire = undefined;
    this.#dials += 1;
    this.#fail({ text: why });
    wire?.close();
  }

  #dial(again: boolean): void {
    this.#error = undefined;
    this.#enter({ kind: 'connecting', again });
    this.#wire = this.#outside.open(this.#who, this.#listen());
  }

  /** Events of a wire that was left behind go nowhere. */
  #listen(): WireEvents {
    this.#dials += 1;
    const dial = this.#dials;
    const current = () => dial === this.#dials;
    return {
      connected: (headers, transport) => current() && this.#connected(headers, transport),
      receipt: (id, headers) => current() && this.#receipt(id, headers),
      message: (destination, body, headers) => current() && this.#message(destination, body, headers),
      error: (headers, body) => current() && this.#refused(headers, body),
      closed: (code, said) => current() && this.#closed(closeReason(code, said)),
    };
  }

  #connected(headers: Readonly<Record<string, string>>, transport: Transport): void {
    this.#connectedAt = this.#outside.now();
    this.#user = headers['user-name'] ?? this.#who.name;
    this.#enter({
      kind: 'connected',
      transport,
      version: headers.version ?? '1.0',
      heartBeat: agreedHeartBeat(this.#outside.offered, headers['heart-beat']),
      server: headers.server ?? '',
      user: this.#user,
    });
    this.#events.proven(expiresIn(headers));
    for (const destination of this.#wanted.keys()) this.#subscribe(destination);
  }

  #subscribe(destination: string): void {
    const id = this.#wanted.get(destination);
    if (this.#phase.kind !== 'connected' || id === undefined) return;
    const receipt = this.#name('join');
    this.#pending.set(receipt, { kind: 'join', destination });
    this.#wire?.subscribe(destination, id, receipt);
  }

  #receipt(id: string, headers: Readonly<Record<string, string>>): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (pending?.kind === 'renew') this.#events.proven(expiresIn(headers));
    if (pending?.kind === 'join') this.#events.joined(pending.destination);
    if (pending?.kind === 'say') this.#events.confirmed(this.#outside.now() - pending.at);
  }

  #message(destination: string, body: string, headers: Readonly<Record<string, string>>): void {
    const receipt = destination === ERRORS ? headers['request-receipt'] : undefined;
    if (receipt === undefined) this.#events.message(destination, body, headers);
    else this.#blame(receipt, errorReason(headers, body));
  }

  /** An ERROR: its receipt id names the frame that caused it. The server closes next. */
  #refused(headers: Readonly<Record<string, string>>, body: string): void {
    const reason = errorReason(headers, body);
    const blamed = this.#blame(headers['receipt-id'] ?? '', reason);
    // The frame that is to blame is not sent again, so the next connection will do better.
    if (blamed) reason.retry ??= true;
    // The same token would end the next connection too.
    if (reason.code === EXPIRED && this.#who.tokens?.renews === false) reason.retry = false;
    this.#error = reason;
  }

  /** The frame that wanted this receipt gets none. Answers whether there is one. */
  #blame(receipt: string, reason: Reason): boolean {
    const pending = this.#pending.get(receipt);
    this.#pending.delete(receipt);
    if (pending?.kind === 'say') this.#events.unconfirmed(pending.destination, pending.text, reason);
    if (pending?.kind === 'join') {
      // Asking for it again would end every further connection too.
      this.#wanted.delete(pending.destination);
      this.#events.refused(pending.destination, reason);
    }
    return pending !== undefined;
  }

  #closed(how: Reason): void {
    const reason = this.#error ?? how;
    // A login that was refused without a code would be refused again; any other silence on this may pass.
    const final = this.#error !== undefined && this.#phase.kind === 'connecting';
    const retry = reason.retry ?? how.retry ?? !final;
    const steady = this.#phase.kind === 'connected' && this.#outside.now() - this.#connectedAt >= STEADY;
    if (steady) this.#attempt = 0;
    this.#wire = undefined;
    this.#fail(reason);
    if (retry) this.#wait(reason);
    else this.#enter({ kind: 'closed', reason });
  }

  #wait(reason: Reason): void {
    const wait = backoff(this.#attempt, this.#outside.random());
    this.#attempt += 1;
    this.#timer = setTimeout(() => this.#dial(true), wait);
    this.#enter({ kind: 'waiting', until: this.#outside.now() + wait, reason });
  }

  #fail(reason: Reason): void {
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    for (const one of lost) {
      if (one.kind === 'say') this.#events.unconfirmed(one.destination, one.text, reason);
    }
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#events.phase(phase);
  }

  #name(what: string): string {
    this.#count += 1;
    return `${what}-${this.#count}`;
  }
}
