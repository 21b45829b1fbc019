// renewing.js
import { Client } from '@stomp/stompjs';

/** A client whose session outlives its tokens; `fetchToken` asks your back end for a fresh one. */
export function renewing(options, fetchToken) {
  let timer;
  let count = 0;

  /** Renews when three quarters of the time are gone. */
  function plan({ headers }) {
    clearTimeout(timer);
    const left = Number(headers['session-expires-in']);
    if (left > 0) timer = setTimeout(renew, Math.min(left * 0.75, 2 ** 31 - 1));
  }

  async function renew() {
    const token = await fetchToken().catch(() => undefined);
    // Without a token the session ends with `token-expired`, and `beforeConnect` asks again.
    if (!token || !client.connected) return;
    const receipt = `renewal-${++count}`;
    client.watchForReceipt(receipt, plan);
    client.publish({ destination: '/session/token', headers: { Authorization: `Bearer ${token}`, receipt } });
  }

  const client = new Client({
    ...options,
    // Before each attempt to connect, the first one too.
    beforeConnect: async () => {
      client.connectHeaders = { ...options.connectHeaders, Authorization: `Bearer ${await fetchToken()}` };
    },
    onConnect: (frame) => {
      plan(frame);
      options.onConnect?.(frame);
    },
    onWebSocketClose: (event) => {
      clearTimeout(timer);
      // Codes from 4500 on, such as `bad-credentials` and `forbidden`, get no better by coming back.
      if (event.code >= 4500) client.deactivate();
      options.onWebSocketClose?.(event);
    },
  });
  return client;
}
