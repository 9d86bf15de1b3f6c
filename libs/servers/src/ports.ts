import { createServer } from 'node:net';

/** The ports of `npm start`, and the variable that changes each. They are below the range that systems use for outgoing connections. */
export const localPorts = {
  kafka: { port: 29092, variable: 'COUNTERSIGN_KAFKA_PORT' },
  controller: { port: 29093, variable: 'COUNTERSIGN_KAFKA_CONTROLLER_PORT' },
  postgres: { port: 25432, variable: 'COUNTERSIGN_POSTGRES_PORT' },
} as const;

/** The port from the environment, otherwise the default. If the variable is not a port number, the error names it. */
export function portFor(
  name: keyof typeof localPorts,
  env: Readonly<Record<string, string | undefined>> = process.env,
): number {
  const { port, variable } = localPorts[name];
  const asked = Number(env[variable] || port);
  if (!Number.isInteger(asked) || asked < 1 || asked > 65535)
    throw new Error(`${variable}: a port number from 1 to 65535 is expected`);
  return asked;
}

/** Another program listens on the port that was asked for. The message names the port and the variable to set. */
export class PortTaken extends Error {
  constructor(
    readonly port: number,
    readonly variable: string,
    purpose: string,
  ) {
    super(`port ${port}, wanted for ${purpose}, is taken: stop what listens there, or set ${variable} to another port`);
    this.name = 'PortTaken';
  }
}

/** Throws PortTaken if the loopback port cannot be bound now. */
export async function assertPortFree(port: number, purpose: string, variable: string): Promise<void> {
  if (!(await isFree(port))) throw new PortTaken(port, variable, purpose);
}

/**
 * A loopback port that is free now. It is below the ports of outgoing connections, so a client that retries while its server is
 * down cannot connect to itself by chance.
 */
export async function freePort(): Promise<number> {
  const taken: readonly number[] = Object.values(localPorts).map((p) => p.port);
  for (let tries = 0; tries < 200; tries++) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    if (!taken.includes(port) && (await isFree(port))) return port;
  }
  throw new Error('no free port between 15000 and 30000');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
