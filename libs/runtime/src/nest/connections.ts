import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Limits the open connections of a server. When one more comes, it closes the connection that has been without a request for
 * longest: it is idle between two requests, or has not sent the headers of its first one. If there is none, it closes the oldest
 * connection whose answers are all given but not yet taken. Only if each connection has a request in work, it closes the new one.
 * So a client cannot keep others out just by opening connections.
 */
export function boundConnections(server: Server, most: number): void {
  const open = new Map<Socket, Set<ServerResponse>>();
  // In the order in which they became idle.
  const resting = new Set<Socket>();
  const forget = (socket: Socket): void => {
    open.delete(socket);
    resting.delete(socket);
  };
  /** The connection that is idle for longest; else one whose client does not take its answer. */
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
