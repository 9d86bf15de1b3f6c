import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { wholeText } from '@countersign/contracts';
import type { Program } from '@countersign/local';
import type { Bench } from '../figure.js';

/**
 * Takes a processor profile of services during a measurement, through their inspectors' ports, and writes
 * `<service>-<what>.cpuprofile` into the folder in BENCH_PROFILE_DIR. The measurement is slower than without it.
 */
export function profilerOf(ports: ReadonlyMap<Program, number>, bench: Bench) {
  const dir = process.env.BENCH_PROFILE_DIR ?? 'profiles';
  return async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    if (ports.size === 0) return work();
    const sessions = await Promise.all([...ports].map(async ([name, port]) => ({ name, ask: await inspect(port) })));
    for (const { ask } of sessions) {
      await ask('Profiler.enable');
      await ask('Profiler.setSamplingInterval', { interval: 500 });
      await ask('Profiler.start');
    }
    try {
      return await work();
    } finally {
      mkdirSync(dir, { recursive: true });
      for (const { name, ask } of sessions) {
        const { profile } = (await ask('Profiler.stop')) as { profile: unknown };
        const file = join(dir, `${name}-${what}.cpuprofile`);
        writeFileSync(file, JSON.stringify(profile));
        bench.log(`${file} is written`);
      }
    }
  };
}

/** A session with a Node process's inspector. It ends with the process. */
async function inspect(port: number): Promise<(method: string, params?: object) => Promise<unknown>> {
  const targets = JSON.parse(
    await wholeText((await fetch(`http://127.0.0.1:${port}/json/list`)).body, 1024 * 1024),
  ) as {
    webSocketDebuggerUrl: string;
  }[];
  const socket = new WebSocket(targets[0]?.webSocketDebuggerUrl ?? '');
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve(), { once: true });
    socket.addEventListener('error', () => reject(new Error(`no inspector answers on port ${port}`)), { once: true });
  });
  const open = new Map<number, (result: unknown) => void>();
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result: unknown };
    if (id !== undefined) open.get(id)?.(result);
  });
  let last = 0;
  return (method, params = {}) =>
    new Promise((resolve) => {
      const id = ++last;
      open.set(id, resolve);
      socket.send(JSON.stringify({ id, method, params }));
    });
}
