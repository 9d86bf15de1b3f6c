import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { usersRefused } from './kafka-wire.js';

/** Something that listens where a broker is expected, and answers everything with `length` and bytes without end. */
async function stranger(length: number, use: (address: string) => Promise<void>): Promise<Socket[]> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => {
      const head = Buffer.alloc(4);
      head.writeInt32BE(length);
      socket.write(head);
      const more = () => {
        while (!socket.destroyed && socket.write(Buffer.alloc(65_536)));
        if (!socket.destroyed) socket.once('drain', more);
      };
      more();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await use(`127.0.0.1:${(server.address() as AddressInfo).port}`);
    await Promise.all(
      sockets.map((socket) => socket.destroyed || new Promise((closed) => socket.once('close', closed))),
    );
    return sockets;
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

test.each([0x7fffffff, -2, 0x48545450])(
  'an answer of %d bytes is none of a broker: it is said, and the connection is closed',
  async (length) => {
    const sockets = await stranger(length, async (address) => {
      await expect(usersRefused(address, [{ name: 'a', password: 'b' }])).rejects.toThrow(
        `${address} does not answer as a Kafka broker`,
      );
    });
    expect(sockets).toHaveLength(1);
  },
);
