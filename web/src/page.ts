import { decodeChat } from './chat-message.ts';
import { Connection, ERRORS, type Phase } from './connection.ts';
import { LOBBY, shortName } from './destination.ts';
import { webSocketUrl } from './dial.ts';
import { FrameLog } from './frame-log.ts';
import { Latency } from './latency.ts';
import { openWire } from './open-wire.ts';
import { errorReason, type Reason, sentence } from './reason.ts';
import type { SignIn } from './sign-in.ts';
import { OFFERED, type OpenWire } from './stomp-wire.ts';
import { DESTINATIONS, STOCKS, Ticker, TRADE } from './ticker.ts';
import { TokenClock } from './token-clock.ts';
import { type Topic, Topics } from './topics.ts';
import { Composer } from './view/composer.ts';
import { find } from './view/element.ts';
import { FrameList } from './view/frame-list.ts';
import type { Side } from './view/order-form.ts';
import { Panes } from './view/panes.ts';
import { ProofBar } from './view/proof-bar.ts';
import { SignInForm } from './view/sign-in-form.ts';
import { Status } from './view/status.ts';
import { Talk } from './view/talk.ts';
import { TickerView } from './view/ticker-view.ts';
import { TopicList } from './view/topic-list.ts';
import { TransportChooser } from './view/transport-chooser.ts';

const now = () => performance.now();

/** The page: what happens on the connection goes to the views, what people do goes to the connection. */
export class Page {
  readonly #log = new FrameLog();
  readonly #latency = new Latency();
  readonly #topics = new Topics();
  readonly #ticker = new Ticker();
  readonly #chooser = new TransportChooser(() => this.#connection.change('you changed the transport'));
  readonly #connection = this.#makeConnection();
  readonly #status = new Status();
  readonly #frames = new FrameList(this.#log);
  readonly #talk = new Talk(this.#topics, (topic) => this.#leave(topic));
  readonly #list = new TopicList(
    this.#topics,
    (topic) => this.#show(topic),
    (destination) => {
      this.#join(destination);
      this.#composer.focus();
    },
  );
  readonly #composer = new Composer((text) => this.#say(text));
  readonly #form = new SignInForm((who) => this.#connect(who));
  readonly #proof = new ProofBar(
    () => void this.#renew(),
    (wanted) => {
      if (this.#who.tokens !== undefined) this.#who.tokens.renews = wanted;
    },
  );
  readonly #clock = new TokenClock({
    now,
    renew: () => {
      if (this.#who.tokens?.renews) void this.#renew();
    },
    left: (milliseconds) => this.#proof.count(milliseconds),
  });
  readonly #tickerView = new TickerView(
    this.#ticker,
    () => this.#openTicker(),
    (side, symbol, shares) => this.#order(side, symbol, shares),
  );
  #who: SignIn = { name: '' };
  #name = '';
  #place: 'talk' | 'ticker' = 'talk';

  start(): void {
    new Panes(() => this.#frames.ask());
    describeServer();
    find('disconnect', HTMLButtonElement).addEventListener('click', () => this.#connection.disconnect());
    find('retry', HTMLButtonElement).addEventListener('click', () => this.#connection.retry());
    addEventListener('online', () => this.#connection.retry());
    document.addEventListener('visibilitychange', () => {
      if (this.#looking && this.#topics.open !== undefined) this.#show(this.#topics.open);
    });
    if (matchMedia('(pointer: fine)').matches) this.#form.focus();
  }

  #makeConnection(): Connection {
    const page = new URL(location.href);
    const open: OpenWire = (who, events) => openWire(page, this.#chooser.choice, this.#log)(who, events);
    return new Connection(
      { open, offered: OFFERED, now, random: Math.random },
      {
        phase: (phase) => this.#enter(phase),
        proven: (left) => this.#clock.start(left),
        joined: (destination) => this.#membership(destination, 'joined'),
        refused: (destination, reason) => this.#refused(destination, reason),
        message: (destination, body, headers) => this.#message(destination, body, headers),
        confirmed: (milliseconds) => {
          this.#latency.record(milliseconds);
          this.#status.latency(this.#latency);
        },
        unconfirmed: (destination, text, reason) => this.#unconfirmed(destination, text, reason),
      },
    );
  }

  #connect(who: SignIn): void {
    this.#who = who;
    this.#name = who.name;
    this.#latency.clear();
    this.#status.latency(this.#latency);
    if (this.#topics.all.length === 0) this.#join(LOBBY);
    // A topic that was refused to one name may be open to another.
    for (const topic of this.#topics.all) {
      if (topic.membership === 'refused') topic.membership = 'away';
      this.#connection.join(topic.destination);
    }
    this.#connection.connect(who);
    if (this.#place === 'talk') this.#composer.focus();
  }

  /** Brings the session's next token, over the connection that is there. */
  async #renew(): Promise<void> {
    try {
      const token = await this.#who.tokens?.next();
      if (token !== undefined) this.#connection.renew(token);
    } catch (error) {
      this.#proof.complain(`Not renewed: ${(error as Error).message}.`);
    }
  }

  #enter(phase: Phase): void {
    const connected = phase.kind === 'connected';
    const welcome = phase.kind === 'idle' || phase.kind === 'closed';
    if (connected) this.#name = phase.user;
    else this.#clock.stop();
    this.#proof.show(connected ? phase.user : undefined, this.#who);
    this.#status.show(phase, now);
    this.#composer.ready(connected);
    this.#tickerView.ready(connected);
    this.#ticker.away();
    // Where it was refused it is asked for again: another server may answer.
    if (phase.kind === 'connecting' && this.#place === 'ticker') this.#listen();
    for (const topic of this.#topics.all) {
      if (topic.membership !== 'refused') topic.membership = connected ? 'joining' : 'away';
    }
    this.#view(welcome ? 'welcome' : this.#place);
    if (welcome) this.#form.focus();
    this.#draw();
  }

  /** Whether somebody can see the open topic. */
  get #looking(): boolean {
    return !document.hidden && this.#place === 'talk';
  }

  #view(view: 'welcome' | 'talk' | 'ticker'): void {
    find('body', HTMLElement).dataset.view = view;
    find('welcome', HTMLElement).hidden = view !== 'welcome';
    find('talk', HTMLElement).hidden = view !== 'talk';
    find('topics', HTMLElement).hidden = view === 'welcome';
    this.#tickerView.show(view === 'ticker');
  }

  /** What nobody looks at is not asked for. */
  #openTicker(): void {
    this.#place = 'ticker';
    this.#listen();
    this.#view('ticker');
    this.#draw();
  }

  #listen(): void {
    for (const destination of DESTINATIONS) this.#connection.join(destination);
  }

  #closeTicker(): void {
    for (const destination of DESTINATIONS.toReversed()) this.#connection.leave(destination);
    this.#ticker.away();
    this.#place = 'talk';
    this.#view('talk');
  }

  #order(side: Side, symbol: string, shares: number): string | undefined {
    if (this.#connection.phase.kind !== 'connected')
      return 'Not connected: try again when the connection is back.';
    const order = JSON.stringify({ side, shares });
    if (this.#connection.send(TRADE + symbol, order, `${side} ${shares} ${symbol}`)) return undefined;
    return 'Too many orders wait for their receipt: try again in a moment.';
  }

  #join(destination: string): void {
    const topic = this.#topics.add(destination);
    if (topic === undefined) return;
    topic.membership = this.#connection.phase.kind === 'connected' ? 'joining' : 'away';
    this.#connection.join(destination);
    this.#show(topic);
  }

  #leave(topic: Topic): void {
    this.#connection.leave(topic.destination);
    this.#topics.remove(topic.destination);
    this.#draw();
    this.#composer.focus();
  }

  #show(topic: Topic): void {
    if (this.#place === 'ticker') this.#closeTicker();
    this.#topics.show(topic);
    this.#draw();
  }

  #say(text: string): string | undefined {
    const topic = this.#topics.open;
    if (topic === undefined) return 'Join a topic first.';
    if (this.#connection.phase.kind !== 'connected') {
      return 'Not connected: your text stays here until the connection is back.';
    }
    if (this.#connection.say(topic.destination, text)) return undefined;
    return 'Too many messages wait for their receipt: try again in a moment.';
  }

  #message(destination: string, body: string, headers: Readonly<Record<string, string>>): void {
    const topic = this.#topics.find(destination);
    if (topic === undefined) {
      if (destination === ERRORS) this.#tickerView.complain(sentence(errorReason(headers, body)));
      else this.#ticker.take(destination, body);
      this.#tickerView.ask();
      return;
    }
    const content = decodeChat(body);
    const own = content.kind === 'chat' && content.from === this.#name;
    this.#topics.addLine(topic, { at: Date.now(), own, content }, this.#looking);
    this.#draw();
  }

  #unconfirmed(destination: string, text: string, reason: Reason): void {
    const told = `Not confirmed by the server: “${text}”. ${sentence(reason)}`;
    if (destination.startsWith(TRADE)) this.#tickerView.complain(told);
    else this.#notice(destination, told);
  }

  #notice(destination: string, text: string): void {
    const topic = this.#topics.find(destination);
    if (topic === undefined) return;
    this.#topics.addLine(topic, { at: Date.now(), own: false, content: { kind: 'notice', text } }, true);
    this.#draw();
  }

  #membership(destination: string, membership: Topic['membership']): void {
    const topic = this.#topics.find(destination);
    if (topic !== undefined) topic.membership = membership;
    this.#draw();
  }

  #refused(destination: string, reason: Reason): void {
    if (destination === STOCKS) this.#tickerView.refused(`No ticker on this server. ${sentence(reason)}`);
    const topic = this.#topics.find(destination);
    if (topic !== undefined) topic.refusal = reason;
    this.#membership(destination, 'refused');
    this.#notice(destination, `The server refused ${shortName(destination)}. ${sentence(reason)}`);
  }

  #draw(): void {
    this.#list.draw(this.#place === 'talk');
    this.#talk.ask();
    const unread = this.#topics.unread;
    document.title = unread === 0 ? 'Tidings' : `(${unread}) Tidings`;
  }
}

/** Fills this server's own address into the explanation. */
function describeServer(): void {
  const port = location.port || (location.protocol === 'https:' ? '443' : '80');
  const fill = (selector: string, text: string) => {
    for (const element of document.querySelectorAll(selector)) element.textContent = text;
  };
  fill('[data-ws-url]', webSocketUrl(new URL(location.href)));
  fill('[data-host-name]', location.hostname);
  fill('[data-port]', port);
}
