import { createServer, request } from 'node:http';

/**
 * A proxy before the server that lets HTTP through and refuses every upgrade, as old ones do.
 *
 * @returns its address, and the way to stop it
 */
export async function startBlockingProxy(server) {
  const { hostname, port } = new URL(server);
  const proxy = createServer((asked, answer) => {
    const { url: path, method, headers } = asked;
    const onward = request({ hostname, port, path, method, headers }, (answered) => {
      answer.writeHead(answered.statusCode, answered.headers);
      answered.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    asked.pipe(onward);
  });
  proxy.on('upgrade', (_asked, socket) => {
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });
  await new Promise((listening) => proxy.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${proxy.address().port}/`,
    stop: () => {
      proxy.close();
      proxy.closeAllConnections();
    },
  };
}
