import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { KafkaConfig } from 'kafkajs';
import type { Credit, GeneratorOrder, Sent } from './generator.js';
import type { Chain, MeterOrder, Progress } from './meter.js';

export type KafkaLogin = Pick<KafkaConfig, 'brokers' | 'sasl'>;

/** A program of the benchmark's own in a process of its own, which follows orders and ends with this process. */
function childProgram<Order, Result, Told>(file: string, onTold: (told: Told) => void) {
  const child: ChildProcess = fork(fileURLToPath(new URL(file, import.meta.url)), [], {
    serialization: 'advanced',
    execArgv: ['--disable-warning=TimeoutNegativeWarning'],
  });
  const open = new Map<number, { resolve(result: Result): void; reject(error: Error): void }>();
  let last = 0;
  child.on('message', (message: { id: number; result: Result; error?: string } | { id?: undefined }) => {
    if (message.id === undefined) {
      onTold(message as Told);
      return;
    }
    const asked = open.get(message.id);
    open.delete(message.id);
    if (message.error === undefined) asked?.resolve(message.result);
    else asked?.reject(new Error(`${file}: ${message.error}`));
  });
  child.on('exit', (code) => {
    for (const { reject } of open.values()) reject(new Error(`${file} ended with ${code}`));
    open.clear();
  });
  return {
    ask: (order: Order): Promise<Result> =>
      new Promise((resolve, reject) => {
        const id = ++last;
        open.set(id, { resolve, reject });
        child.send({ id, order });
      }),
    tell: (told: object): boolean => child.connected && child.send(told),
    pid: child.pid as number,
    stop: async (): Promise<void> => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await gone;
    },
  };
}

/** The load, see generator.ts. */
export function startGenerator() {
  const child = childProgram<GeneratorOrder, Sent, never>('./generator.js', () => undefined);
  return { ...child, credit: (credit: Credit) => child.tell(credit) };
}
export type Generator = ReturnType<typeof startGenerator>;

/** What notes when chains end, see meter.ts. */
export async function startMeter(kafka: KafkaLogin, group: string, topics: readonly string[]) {
  const listeners = new Set<(ends: number) => void>();
  let seen: Progress = { ends: 0, executed: 0 };
  const child = childProgram<MeterOrder, readonly Chain[], Progress>('./meter.js', (progress) => {
    seen = progress;
    for (const listener of listeners) listener(seen.ends);
  });
  try {
    await child.ask({ do: 'watch', kafka, group, topics });
  } catch (error) {
    await child.stop();
    throw error;
  }
  return {
    pid: child.pid,
    stop: child.stop,
    /** How many ends it has seen in all, and how many of them were actions carried out. */
    ends: () => seen.ends,
    executed: () => seen.executed,
    onEnds: (listener: (ends: number) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    report: (prefix: string) => child.ask({ do: 'report', prefix }),
  };
}
export type Meter = Awaited<ReturnType<typeof startMeter>>;
