import type { Phase } from '../connection.ts';
import { heartBeatText } from '../heart-beat.ts';
import { type Latency, milliseconds } from '../latency.ts';
import { sentence } from '../reason.ts';
import { transportText } from '../transport.ts';
import { find, say } from './element.ts';

/** The connection's state in the head of the page, and the banner over the conversation. */
export class Status {
  readonly #section = find('connection', HTMLElement);
  readonly #text = find('state-text', HTMLElement);
  readonly #transport = find('transport-used', HTMLElement);
  readonly #version = find('fact-version', HTMLElement);
  readonly #heartBeat = find('fact-heart-beat', HTMLElement);
  readonly #last = find('fact-last', HTMLElement);
  readonly #p50 = find('fact-p50', HTMLElement);
  readonly #retry = find('retry', HTMLButtonElement);
  readonly #disconnect = find('disconnect', HTMLButtonElement);
  readonly #banner = find('banner', HTMLElement);
  readonly #reason = find('banner-reason', HTMLElement);
  readonly #seconds = find('countdown', HTMLElement);
  readonly #farewell = find('farewell', HTMLElement);
  #countdown: ReturnType<typeof setInterval> | undefined;

  show(phase: Phase, now: () => number): void {
    clearInterval(this.#countdown);
    const busy = phase.kind !== 'idle' && phase.kind !== 'closed';
    this.#section.dataset.phase = phase.kind;
    say(this.#text, phaseText(phase));
    say(this.#transport, phase.kind === 'connected' ? `over ${transportText(phase.transport)}` : '');
    this.#disconnect.hidden = !busy;
    say(this.#version, phase.kind === 'connected' ? phase.version : '–');
    say(this.#heartBeat, phase.kind === 'connected' ? heartBeatText(phase.heartBeat) : '–');
    this.#version.title = phase.kind === 'connected' ? phase.server : '';
    this.#showFarewell(phase);
    this.#showBanner(phase, now);
  }

  latency(latency: Latency): void {
    say(this.#last, milliseconds(latency.last));
    say(this.#p50, milliseconds(latency.p50));
  }

  #showFarewell(phase: Phase): void {
    this.#farewell.hidden = phase.kind !== 'closed';
    this.#farewell.textContent =
      phase.kind === 'closed' ? `The server closed the connection. ${sentence(phase.reason)}` : '';
  }

  #showBanner(phase: Phase, now: () => number): void {
    this.#banner.hidden = phase.kind !== 'waiting' && !(phase.kind === 'connecting' && phase.again);
    this.#retry.disabled = phase.kind !== 'waiting';
    if (phase.kind !== 'waiting') {
      // The banner stays while the page dials, so that the lines below do not jump.
      if (!this.#banner.hidden) this.#seconds.textContent = ' Trying now…';
      return;
    }
    say(this.#reason, sentence(phase.reason));
    const tick = () => {
      const seconds = Math.max(0, Math.ceil((phase.until - now()) / 1_000));
      this.#seconds.textContent = ` Next try in ${seconds}\u00a0s.`;
    };
    tick();
    this.#countdown = setInterval(tick, 250);
  }
}

function phaseText(phase: Phase): string {
  switch (phase.kind) {
    case 'idle':
      return 'Not connected';
    case 'connecting':
      return phase.again ? 'Reconnecting…' : 'Connecting…';
    case 'connected':
      return 'Connected';
    case 'waiting':
      return 'Waiting to reconnect';
    case 'closed':
      return 'Closed';
  }
}
