import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Keeps the open connections of a server within a bound. One more closes the connection that has been without a request for longest,
 * whether it idles between two or has not brought the headers of its first one; only where each has a request in work, the new one is
 * closed. So nobody keeps others out with connections alone.
 */
export function boundConnections(server: Server, most: number): void {
  const inWork = new Map<Socket, number>();
  // In the order in which they came to rest.
  const resting = new Set<Socket>();
  const forget = (socket: Socket): void => {
    inWork.delete(socket);
    resting.delete(socket);
  };
  server.on('connection', (socket: Socket) => {
    inWork.set(socket, 0);
    resting.add(socket);
    socket.once('close', () => forget(socket));
    if (inWork.size <= most) return;
    // The new one rests too, so there is one.
    const [longest = socket] = resting;
    forget(longest);
    longest.destroy();
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const begun = inWork.get(socket);
    if (begun === undefined) return;
    inWork.set(socket, begun + 1);
    resting.delete(socket);
    response.once('close', () => {
      const left = (inWork.get(socket) ?? 0) - 1;
      if (left < 0) return;
      inWork.set(socket, left);
      if (left === 0) resting.add(socket);
    });
  });
}
