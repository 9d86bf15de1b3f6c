import { fork } from 'node:child_process';
import { basename } from 'node:path';

/** The calls that a worker process answers: each has one argument that is JSON, and its answer is JSON. */
// biome-ignore lint/suspicious/noExplicitAny: the caller's type says what each call takes
export type Calls = Readonly<Record<string, (argument: any) => unknown>>;

type Question = { readonly id: number; readonly call: string; readonly argument: unknown };
type Answer = { readonly id: number } & ({ readonly result: unknown } | { readonly error: string });

/** A process of ours that does one thing, so that nothing else takes processor time from it. */
export interface Worker<C extends Calls> {
  readonly pid: number;
  /** Rejects with the worker's error, or when it has ended. */
  ask<K extends keyof C & string>(call: K, argument: Parameters<C[K]>[0]): Promise<Awaited<ReturnType<C[K]>>>;
  /** Returns when it is gone. Repeats are harmless. */
  end(): Promise<void>;
}

/** Starts a program that ends in `serve`. Aborting `signal` kills it; it ends by itself when this process dies. */
export function startWorker<C extends Calls>(program: URL, signal: AbortSignal): Worker<C> {
  signal.throwIfAborted();
  const name = basename(program.pathname, '.js');
  const child = fork(program, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  const open = new Map<number, PromiseWithResolvers<unknown>>();
  let asked = 0;
  let printed = '';
  child.stderr?.on('data', (text) => {
    printed = `${printed}${text}`.slice(-2_000);
  });
  child.on('message', (answer: Answer) => {
    const question = open.get(answer.id);
    open.delete(answer.id);
    if ('error' in answer) question?.reject(new Error(`${name}: ${answer.error}`));
    else question?.resolve(answer.result);
  });
  let gone: Error | undefined;
  const exited = new Promise<void>((resolve) => {
    const over = (reason: string): void => {
      gone ??= signal.aborted ? signal.reason : new Error(`${name} ended (${reason})\n${printed}`.trim());
      for (const question of open.values()) question.reject(gone);
      open.clear();
      resolve();
    };
    child.once('error', (error) => over(error.message));
    child.once('exit', (code, by) => over(by ?? `exit code ${code}`));
  });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill);
  return {
    pid: child.pid ?? 0,
    ask(call, argument) {
      if (gone) return Promise.reject(gone);
      const question = Promise.withResolvers<unknown>();
      const id = asked++;
      open.set(id, question);
      child.send({ id, call, argument } satisfies Question);
      return question.promise as never;
    },
    async end() {
      signal.removeEventListener('abort', kill);
      kill();
      await exited;
    },
  };
}

/** Makes this process a worker: it answers until its parent is gone. */
export function serve(calls: Calls): void {
  const send = (answer: Answer): void => void process.send?.(answer);
  process.on('message', async ({ id, call, argument }: Question) => {
    try {
      send({ id, result: await calls[call]?.(argument) });
    } catch (error) {
      send({ id, error: (error as Error).message });
    }
  });
  process.on('disconnect', () => process.exit(0));
  // A Ctrl-C reaches the whole group. The parent decides when to end.
  process.on('SIGINT', () => undefined);
}
