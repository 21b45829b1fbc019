import { Client, type IFrame, type StompHeaders } from '@stomp/stompjs';
import type { Dial } from './dial.ts';
import type { FrameLog } from './frame-log.ts';
import type { HeartBeat } from './heart-beat.ts';
import { LOST, NO_ANSWER, REFUSED } from './reason.ts';
import { connectHeaders, type SignIn } from './sign-in.ts';
import { TappedSocket } from './tapped-socket.ts';
import type { Transport } from './transport.ts';

/** Offered in CONNECT, in milliseconds. */
export const OFFERED: HeartBeat = { send: 10_000, receive: 10_000 };
/** From dialling to CONNECTED, in milliseconds. */
export const CONNECT_TIMEOUT = 10_000;

/** Where a session's next token goes. */
const SESSION_TOKEN = '/session/token';

/** What one connection tells its owner. `closed` is always the last. */
export interface WireEvents {
  connected(headers: StompHeaders, transport: Transport): void;
  receipt(id: string, headers: StompHeaders): void;
  message(destination: string, body: string, headers: StompHeaders): void;
  error(headers: StompHeaders, body: string): void;
  closed(code: number, reason: string): void;
}

/** One connection, from CONNECT to its close; never reconnects. */
export interface Wire {
  subscribe(destination: string, id: string, receipt: string): void;
  unsubscribe(id: string): void;
  send(destination: string, body: string, receipt: string): void;
  /** Brings the session's next token. */
  renew(token: string, receipt: string): void;
  /** Says goodbye with DISCONNECT and closes. */
  close(): void;
}

export type OpenWire = (who: SignIn, events: WireEvents) => Wire;

/**
 * Opens STOMP with stompjs over what `dial` gives; every frame is written to `log`.
 *
 * @param timeout milliseconds from dialling to CONNECTED
 */
export function stompOver(dial: Dial, log: FrameLog, timeout = CONNECT_TIMEOUT): OpenWire {
  return (who, events) => {
    let silence = 'the server did not answer in time';
    let socket: TappedSocket;
    const client = new Client({
      // The owner waits and counts down, so that the page can show it.
      reconnectDelay: 0,
      connectionTimeout: timeout,
      heartbeatOutgoing: OFFERED.send,
      heartbeatIncoming: OFFERED.receive,
      discardWebsocketOnCommFailure: true,
      beforeConnect: async () => {
        const giveUp = (code: number, reason: string) => {
          void client.deactivate();
          events.closed(code, reason);
        };
        try {
          client.connectHeaders = { ...(await connectHeaders(who)), host: location.hostname };
        } catch (error) {
          const isLost = error instanceof TypeError;
          giveUp(isLost ? LOST : REFUSED, isLost ? NO_ANSWER : String((error as Error).message));
          return;
        }
        try {
          const open = await dial();
          client.webSocketFactory = () => {
            socket = new TappedSocket(open(), log, OFFERED.send / 2);
            return socket;
          };
        } catch {
          giveUp(LOST, NO_ANSWER);
        }
      },
      onConnect: (frame: IFrame) => events.connected(frame.headers, socket.transport),
      onUnhandledReceipt: (frame: IFrame) => events.receipt(frame.headers['receipt-id'] ?? '', frame.headers),
      onUnhandledMessage: ({ headers, body }) => events.message(headers.destination ?? '', body, headers),
      onStompError: (frame: IFrame) => events.error(frame.headers, frame.body),
      onHeartbeatLost: () => {
        silence = 'the server has been silent for too long';
      },
      onWebSocketClose: (event: CloseEvent) => {
        void client.deactivate();
        // What stompjs makes up when it gives a connection up has no type.
        if (event.type === 'close') events.closed(event.code, event.reason);
        else events.closed(LOST, silence);
      },
    });
    client.activate();
    return {
      subscribe: (destination, id, receipt) =>
        void client.subscribe(
          destination,
          ({ body, headers }) => events.message(destination, body, headers),
          {
            id,
            receipt,
          },
        ),
      unsubscribe: (id) => client.unsubscribe(id),
      send: (destination, body, receipt) =>
        client.publish({ destination, body, headers: { 'content-type': 'application/json', receipt } }),
      renew: (token, receipt) =>
        client.publish({
          destination: SESSION_TOKEN,
          headers: { Authorization: `Bearer ${token}`, receipt },
        }),
      close: () => void client.deactivate(),
    };
  };
}
