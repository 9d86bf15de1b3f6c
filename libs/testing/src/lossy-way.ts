import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A connection to a server that can lose what is sent, without either end noticing. */
export interface LossyWay {
  /** The given URL through this connection. */
  readonly url: string;
  /** The number of connections that are silent now. */
  silent(): number;
  /** The next connection on which `text` is sent falls silent: that text arrives, and after it nothing passes in either direction. */
  loseAnswerTo(text: string): void;
  /** All connections fall silent, and each new one is accepted and never answered. */
  loseAll(): void;
  /** New connections work again. Those that are silent stay silent. */
  mend(): void;
  close(): Promise<void>;
}

/** Opens a way to the server of `to`, on a free port of the loopback address. */
export async function lossyWay(to: string): Promise<LossyWay> {
  const target = new URL(to);
  const open = new Map<Socket, { silent: boolean; readonly beyond: Socket }>();
  let deaf = false;
  let marked: string | undefined;
  const server = createServer((near) => {
    const beyond = connect(Number(target.port), target.hostname);
    const way = { silent: deaf, beyond };
    open.set(near, way);
    near.on('data', (bytes) => {
      if (way.silent) return;
      if (marked !== undefined && bytes.includes(marked)) {
        marked = undefined;
        way.silent = true;
      }
      beyond.write(bytes);
    });
    beyond.on('data', (bytes) => {
      if (!way.silent) near.write(bytes);
    });
    near.on('close', () => {
      open.delete(near);
      // The far end of a lost connection is not told.
      if (!way.silent) beyond.destroy();
      else lost.add(beyond);
    });
    beyond.on('close', () => {
      lost.delete(beyond);
      if (!way.silent) near.destroy();
    });
    near.on('error', () => undefined);
    beyond.on('error', () => undefined);
  });
  const lost = new Set<Socket>();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(to);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    silent: () => [...open.values()].filter((way) => way.silent).length,
    loseAnswerTo: (text) => {
      marked = text;
    },
    loseAll: () => {
      deaf = true;
      for (const way of open.values()) way.silent = true;
    },
    mend: () => {
      deaf = false;
    },
    close: async () => {
      server.close();
      for (const [near, { beyond }] of open) {
        near.destroy();
        beyond.destroy();
      }
      for (const beyond of lost) beyond.destroy();
      await once(server, 'close');
    },
  };
}
