import { type Ago, ago } from '@countersign/runtime';

/** A connected system that is asked. */
interface Asked {
  readonly name: string;
  /** How long one call or question may take. */
  readonly timeoutMs: number;
}

interface System {
  readonly timeoutMs: number;
  /** Calls and questions under way. */
  out: number;
  /** Since when there was no definite answer: the start of the first call or question after the last definite answer. */
  since?: { readonly ago: Ago; readonly at: string };
  /** Why the last call or question got no definite answer, and when. */
  failed?: { readonly ago: Ago; readonly detail: string };
  warned: boolean;
}

/** Longer than any pause between two tries. After this time nothing asks the system any more, and the information is out of date. */
const forgottenMs = 60_000;

/**
 * Which connected systems give no definite answer, since when and why. A system is named if it gave no definite answer for as long as one
 * call may take. It is named until it answers, or until nothing asks it any more.
 */
export class Unanswered {
  private readonly systems = new Map<string, System>();

  constructor(private readonly warn: (message: string) => void) {}

  /** A call or a question begins. The caller calls the returned function at its end, with the reason if there was no definite answer. */
  asked({ name, timeoutMs }: Asked): (reason?: string) => void {
    const system: System = this.systems.get(name) ?? { timeoutMs, out: 0, warned: false };
    this.systems.set(name, system);
    if (system.out === 0 && forgotten(system)) delete system.since;
    system.out++;
    system.since ??= sinceNow();
    return (reason) => {
      system.out--;
      if (reason === undefined) {
        if (system.warned) this.warn(`connector ${name}: it answers again`);
        system.warned = false;
        delete system.since;
        delete system.failed;
        if (system.out > 0) system.since = sinceNow();
        return;
      }
      system.failed = { ago: ago(), detail: reason };
      const detail = detailOf(system);
      if (system.warned || detail === undefined) return;
      system.warned = true;
      this.warn(`connector ${name}: ${detail}`);
    };
  }

  /** The text for the health page, by the system's name: since when, and why. */
  now(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      [...this.systems].flatMap(([name, system]) => {
        const detail = detailOf(system);
        return detail === undefined ? [] : [[name, detail]];
      }),
    );
  }
}

const sinceNow = () => ({ ago: ago(), at: new Date().toISOString() });

const forgotten = ({ out, failed }: System): boolean => out === 0 && (failed?.ago() ?? 0) >= forgottenMs;

function detailOf(system: System): string | undefined {
  const { since, failed, timeoutMs } = system;
  if (!since || since.ago() < timeoutMs || forgotten(system)) return undefined;
  return `no definite answer since ${since.at}: ${failed?.detail ?? 'still waiting'}`;
}
