/** What both sides agreed on, in milliseconds; 0 = none in that direction. */
export interface HeartBeat {
  send: number;
  receive: number;
}

/**
 * The agreed intervals, from what this side offered and the `heart-beat` header of CONNECTED.
 *
 * Source: STOMP 1.2, "Heart-beating".
 */
export function agreedHeartBeat(offered: HeartBeat, header: string | undefined): HeartBeat {
  const [theirSend = 0, theirReceive = 0] = (header ?? '0,0').split(',').map((part) => Number(part) || 0);
  return { send: agree(offered.send, theirReceive), receive: agree(offered.receive, theirSend) };
}

/** The intervals for people: `10 s`, `10 s / 5 s` (sent / received), or `off`. */
export function heartBeatText({ send, receive }: HeartBeat): string {
  if (send === 0 && receive === 0) return 'off';
  if (send === receive) return seconds(send);
  return `${seconds(send)} / ${seconds(receive)}`;
}

function agree(mine: number, theirs: number): number {
  return mine === 0 || theirs === 0 ? 0 : Math.max(mine, theirs);
}

function seconds(milliseconds: number): string {
  return milliseconds === 0 ? 'off' : `${Number((milliseconds / 1_000).toFixed(1))} s`;
}
