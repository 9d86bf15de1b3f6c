import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Keeps the open connections of a server within a bound. One more closes the connection that has been without a request for longest,
 * whether it idles between two or has not brought the headers of its first one; else the oldest one whose answers are all given and
 * not taken; only where each has a request in work, the new one is closed. So nobody keeps others out with connections alone.
 */
export function boundConnections(server: Server, most: number): void {
  const open = new Map<Socket, Set<ServerResponse>>();
  // In the order in which they came to rest.
  const resting = new Set<Socket>();
  const forget = (socket: Socket): void => {
    open.delete(socket);
    resting.delete(socket);
  };
  /** The longest at rest, else one whose client does not take what it was answered. */
  const dispensable = (): Socket | undefined => {
    const [longest, another] = resting;
    if (longest && another) return longest;
    for (const [socket, responses] of open)
      if (responses.size > 0 && [...responses].every((response) => response.writableEnded)) return socket;
    return longest;
  };
  server.on('connection', (socket: Socket) => {
    open.set(socket, new Set());
    resting.add(socket);
    socket.once('close', () => forget(socket));
    if (open.size <= most) return;
    const closing = dispensable() ?? socket;
    forget(closing);
    closing.destroy();
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const responses = open.get(socket);
    if (!responses) return;
    responses.add(response);
    resting.delete(socket);
    response.once('close', () => {
      responses.delete(response);
      if (responses.size === 0 && open.has(socket)) resting.add(socket);
    });
  });
}
