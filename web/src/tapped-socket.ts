import { type IStompSocket, StompSocketState } from '@stomp/stompjs';
import { beatWhileHidden } from './background-beat.ts';
import type { DialledSocket } from './dial.ts';
import { FrameReader } from './frame.ts';
import type { Direction, FrameLog } from './frame-log.ts';
import { readClose } from './reason.ts';
import { type Transport, transportOf, transportText } from './transport.ts';

/**
 * A socket that shows the log all that passes; stompjs shows its own view of frames only.
 *
 * It stands between, and does not listen beside: sockjs-client calls listeners after `onmessage`, so that the log
 * would show an answer before its question.
 */
export class TappedSocket implements IStompSocket {
  onopen: IStompSocket['onopen'];
  onmessage: IStompSocket['onmessage'];
  onerror: IStompSocket['onerror'];
  onclose: IStompSocket['onclose'];
  readonly #socket: DialledSocket;
  readonly #sent: FrameReader;

  /** @param beat milliseconds between the heart-beats of a hidden page */
  constructor(socket: DialledSocket, log: FrameLog, beat: number) {
    this.#socket = socket;
    this.#sent = reader(log, 'out');
    const received = reader(log, 'in');
    socket.binaryType = 'arraybuffer';
    let name = 'Connection';
    let stopBeating = () => {};
    socket.onopen = (event) => {
      name = transportText(this.transport);
      log.note(`${name} open${socket.protocol ? `, ${socket.protocol}` : ''}`, Date.now());
      stopBeating = beatWhileHidden(() => this.#beat(), beat);
      this.onopen?.(event);
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      received.read(event.data);
      this.onmessage?.(event);
    };
    socket.onerror = (event) => this.onerror?.(event);
    socket.onclose = (event) => {
      stopBeating();
      const { code, reason } = readClose(event);
      log.note(`${name} closed, ${code}${reason ? ` ${reason}` : ''}`, Date.now());
      this.onclose?.({ type: 'close', code, reason });
    };
  }

  /** The transport in use; to be read while open. */
  get transport(): Transport {
    return transportOf(this.#socket.transport);
  }

  get url(): string {
    return this.#socket.url;
  }

  get readyState(): number {
    return this.#socket.readyState;
  }

  send(data: string): void {
    this.#sent.read(data);
    this.#socket.send(data);
  }

  close(): void {
    this.#socket.close();
  }

  #beat(): void {
    if (this.readyState === StompSocketState.OPEN) this.send('\n');
  }
}

function reader(log: FrameLog, direction: Direction): FrameReader {
  return new FrameReader(
    (frame) => log.frame(direction, frame, Date.now()),
    () => log.heartBeat(direction, Date.now()),
  );
}
