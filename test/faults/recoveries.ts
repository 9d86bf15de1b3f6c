import { writeSync } from 'node:fs';
import type { Service } from '@countersign/contracts';

export interface Recovery {
  readonly fault: string;
  readonly service: Service;
  /** From the thing being back, or from the loss where another goes on for it, to the first event let through again. */
  readonly ms: number;
}

/** Prints how long each recovery took, past vitest, which keeps what a passing test prints to itself. */
export function printRecoveries(seed: number, recoveries: readonly Recovery[]): void {
  const width = (column: (r: Recovery) => string, title: string) =>
    Math.max(title.length, ...recoveries.map((r) => column(r).length));
  const [fault, service] = [width((r) => r.fault, 'fault'), width((r) => r.service, 'service')];
  const line = (a: string, b: string, c: string): string =>
    `  ${a.padEnd(fault)}  ${b.padEnd(service)}  ${c.padStart(8)}`;
  const lines = [
    '',
    `faults: FAULTS_SEED=${seed}; recovery times, aim 10000 ms`,
    line('fault', 'service', 'ms'),
    ...recoveries.map((r) => `${line(r.fault, r.service, String(r.ms))}${r.ms > 10_000 ? '  above the aim' : ''}`),
    '',
  ];
  print(lines.join('\n'));
}

export function print(text: string): void {
  writeSync(2, `${text}\n`);
}
