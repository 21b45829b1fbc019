import { decodeChat } from './chat-message.ts';
import { Connection, type Phase } from './connection.ts';
import { LOBBY, shortName } from './destination.ts';
import { webSocketUrl } from './dial.ts';
import { FrameLog } from './frame-log.ts';
import { Latency } from './latency.ts';
import { openWire } from './open-wire.ts';
import { type Reason, sentence } from './reason.ts';
import { OFFERED, type OpenWire } from './stomp-wire.ts';
import { type Topic, Topics } from './topics.ts';
import { Composer } from './view/composer.ts';
import { ConnectForm } from './view/connect-form.ts';
import { find } from './view/element.ts';
import { FrameList } from './view/frame-list.ts';
import { Panes } from './view/panes.ts';
import { Status } from './view/status.ts';
import { Talk } from './view/talk.ts';
import { TopicList } from './view/topic-list.ts';
import { TransportChooser } from './view/transport-chooser.ts';

const now = () => performance.now();

/** The page: what happens on the connection goes to the views, what people do goes to the connection. */
export class Page {
  readonly #log = new FrameLog();
  readonly #latency = new Latency();
  readonly #topics = new Topics();
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
  readonly #form = new ConnectForm((name) => this.#connect(name));
  #name = '';

  start(): void {
    new Panes(() => this.#frames.ask());
    describeServer();
    find('disconnect', HTMLButtonElement).addEventListener('click', () => this.#connection.disconnect());
    find('retry', HTMLButtonElement).addEventListener('click', () => this.#connection.retry());
    addEventListener('online', () => this.#connection.retry());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && this.#topics.open !== undefined) this.#show(this.#topics.open);
    });
    if (matchMedia('(pointer: fine)').matches) this.#form.focus();
  }

  #makeConnection(): Connection {
    const page = new URL(location.href);
    const open: OpenWire = (login, events) => openWire(page, this.#chooser.choice, this.#log)(login, events);
    return new Connection(
      { open, offered: OFFERED, now, random: Math.random },
      {
        phase: (phase) => this.#enter(phase),
        joined: (destination) => this.#membership(destination, 'joined'),
        refused: (destination, reason) => this.#refused(destination, reason),
        message: (destination, body) => this.#message(destination, body),
        confirmed: (milliseconds) => {
          this.#latency.record(milliseconds);
          this.#status.latency(this.#latency);
        },
        unconfirmed: (destination, text, reason) =>
          this.#notice(destination, `Not confirmed by the server: “${text}”. ${sentence(reason)}`),
      },
    );
  }

  #connect(name: string): void {
    this.#name = name;
    this.#latency.clear();
    this.#status.latency(this.#latency);
    if (this.#topics.all.length === 0) this.#join(LOBBY);
    // A topic that was refused to one name may be open to another.
    for (const topic of this.#topics.all) {
      if (topic.membership === 'refused') topic.membership = 'away';
      this.#connection.join(topic.destination);
    }
    this.#connection.connect(name);
    this.#composer.focus();
  }

  #enter(phase: Phase): void {
    const connected = phase.kind === 'connected';
    const welcome = phase.kind === 'idle' || phase.kind === 'closed';
    this.#status.show(phase, now);
    this.#composer.ready(connected);
    for (const topic of this.#topics.all) {
      if (topic.membership !== 'refused') topic.membership = connected ? 'joining' : 'away';
    }
    this.#view(welcome ? 'welcome' : 'talk');
    if (welcome) this.#form.focus();
    this.#draw();
  }

  #view(view: 'welcome' | 'talk'): void {
    find('body', HTMLElement).dataset.view = view;
    find('welcome', HTMLElement).hidden = view !== 'welcome';
    find('talk', HTMLElement).hidden = view !== 'talk';
    find('topics', HTMLElement).hidden = view !== 'talk';
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

  #message(destination: string, body: string): void {
    const topic = this.#topics.find(destination);
    if (topic === undefined) return;
    const content = decodeChat(body);
    const own = content.kind === 'chat' && content.from === this.#name;
    this.#topics.addLine(topic, { at: Date.now(), own, content }, !document.hidden);
    this.#draw();
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
    const topic = this.#topics.find(destination);
    if (topic !== undefined) topic.refusal = reason;
    this.#membership(destination, 'refused');
    this.#notice(destination, `The server refused ${shortName(destination)}. ${sentence(reason)}`);
  }

  #draw(): void {
    this.#list.draw();
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
