import { Client, type IFrame, type StompHeaders, Versions } from '@stomp/stompjs';
import { keepBeating } from './background-beat.ts';
import { FrameReader } from './frame.ts';
import type { FrameLog } from './frame-log.ts';
import type { HeartBeat } from './heart-beat.ts';

/** Offered in CONNECT, in milliseconds. */
export const OFFERED: HeartBeat = { send: 10_000, receive: 10_000 };
/** From opening the WebSocket to CONNECTED, in milliseconds. */
const CONNECT_TIMEOUT = 10_000;
/** As a close code: the connection was lost. */
const GAVE_UP = 1006;

/** What one connection tells its owner. `closed` is always the last. */
export interface WireEvents {
  connected(headers: StompHeaders): void;
  receipt(id: string): void;
  message(destination: string, body: string): void;
  error(headers: StompHeaders, body: string): void;
  closed(code: number, reason: string): void;
}

/** One connection, from CONNECT to its close; never reconnects. */
export interface Wire {
  subscribe(destination: string, id: string, receipt: string): void;
  unsubscribe(id: string): void;
  send(destination: string, body: string, receipt: string): void;
  /** Says goodbye with DISCONNECT and closes. */
  close(): void;
}

export type OpenWire = (login: string, events: WireEvents) => Wire;

/** Opens STOMP over WebSocket to `url` with stompjs; every frame is written to `log`. */
export function stompOver(url: string, log: FrameLog): OpenWire {
  return (login, events) => {
    let silence = 'the server did not answer in time';
    const client = new Client({
      connectHeaders: { login, host: location.hostname },
      // The owner waits and counts down, so that the page can show it.
      reconnectDelay: 0,
      connectionTimeout: CONNECT_TIMEOUT,
      heartbeatOutgoing: OFFERED.send,
      heartbeatIncoming: OFFERED.receive,
      discardWebsocketOnCommFailure: true,
      webSocketFactory: () => tappedSocket(url, log),
      onConnect: (frame: IFrame) => events.connected(frame.headers),
      onUnhandledReceipt: (frame: IFrame) => events.receipt(frame.headers['receipt-id'] ?? ''),
      onUnhandledMessage: (message) => events.message(message.headers.destination ?? '', message.body),
      onStompError: (frame: IFrame) => events.error(frame.headers, frame.body),
      onHeartbeatLost: () => {
        silence = 'the server has been silent for too long';
      },
      onWebSocketClose: (event: CloseEvent) => {
        void client.deactivate();
        // What stompjs makes up when it gives a connection up is no event of the browser.
        if (event instanceof CloseEvent) events.closed(event.code, event.reason);
        else events.closed(GAVE_UP, silence);
      },
    });
    client.activate();
    return {
      subscribe: (destination, id, receipt) =>
        void client.subscribe(destination, ({ body }) => events.message(destination, body), { id, receipt }),
      unsubscribe: (id) => client.unsubscribe(id),
      send: (destination, body, receipt) =>
        client.publish({ destination, body, headers: { 'content-type': 'application/json', receipt } }),
      close: () => void client.deactivate(),
    };
  };
}

/** A WebSocket that shows the log all that passes; stompjs shows its own view of frames only. */
function tappedSocket(url: string, log: FrameLog): WebSocket {
  const socket = new WebSocket(url, Versions.default.protocolVersions());
  socket.binaryType = 'arraybuffer';
  const reader = (direction: 'in' | 'out') =>
    new FrameReader(
      (frame) => log.frame(direction, frame, Date.now()),
      () => log.heartBeat(direction, Date.now()),
    );
  const sent = reader('out');
  const received = reader('in');
  const send = socket.send.bind(socket);
  socket.send = (data) => {
    if (typeof data === 'string') sent.read(data);
    send(data);
  };
  socket.addEventListener('message', (event: MessageEvent<string | ArrayBuffer>) =>
    received.read(event.data),
  );
  socket.addEventListener('open', () => {
    log.note(`WebSocket open${socket.protocol ? `, ${socket.protocol}` : ''}`, Date.now());
    keepBeating(socket, OFFERED.send / 2);
  });
  socket.addEventListener('close', (event) => {
    log.note(`WebSocket closed, ${event.code}${event.reason ? ` ${event.reason}` : ''}`, Date.now());
  });
  return socket;
}
