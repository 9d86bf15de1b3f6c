import type { Sample } from './core/sample.js';
import { type Observed, type Refusal, type Seen, watch } from './core/seen.js';
import type { Signal, Source } from './core/signals.js';
import type { Act, Broken, Step, Story } from './core/story.js';

/** The world as the player reaches it. */
export interface SamplePorts {
  /**
   * Publishes events of a source as they are, in order; resolves when they are taken. `upstream` is written to its topic, the
   * others are posted. What was refused over HTTP is returned, not thrown.
   */
  publish(source: Source, events: readonly (Signal | Broken)[]): Promise<readonly Refusal[]>;
  act(act: Act): Promise<void>;
  /**
   * Everything observed so far on the topics; the list only grows. What was there before must be in it when the play begins: what it
   * lacks would be done again.
   */
  events(): readonly Observed[];
  onProgress?(progress: Progress): void;
}

export type Progress =
  | { readonly kind: 'published'; readonly source: Source; readonly signals: number }
  | { readonly kind: 'acted'; readonly story: string; readonly detail: string }
  | { readonly kind: 'told'; readonly story: StoryResult };

/** How a story ended. */
export interface StoryResult {
  readonly id: string;
  readonly title: string;
  readonly ok: boolean;
  /** One line: what happened and why. */
  readonly detail: string;
}

export interface PlayOptions {
  /** How long any one wait may take, in milliseconds; counted in looks, so that a busy machine takes nothing of it. */
  readonly patienceMs?: number;
  /** How often the observed events are looked at. */
  readonly lookEveryMs?: number;
  readonly signal?: AbortSignal;
}

const batchSize = 250;

/**
 * Plays a sample: its set-up, then all stories at the same time. Resolves with one result a story, in their order, judged at the
 * very end, so that what happens late counts too. What an earlier start did is observed, not done again. Throws where
 * a port fails or the set-up waits in vain.
 */
export async function playSample(
  sample: Sample,
  ports: SamplePorts,
  options: PlayOptions = {},
): Promise<readonly StoryResult[]> {
  const { patienceMs = 60_000, lookEveryMs = 50, signal } = options;
  const seen = watch();
  let looked = 0;
  const look = (): Seen => {
    const events = ports.events();
    for (; looked < events.length; looked++) seen.add(events[looked] as Observed);
    return seen;
  };
  const until = async (holds: (seen: Seen) => boolean): Promise<boolean> => {
    for (let looks = 0; !holds(look()); looks++) {
      signal?.throwIfAborted();
      if (looks * lookEveryMs > patienceMs) return false;
      await pause(lookEveryMs);
    }
    return true;
  };
  const publish = async (source: Source, events: readonly (Signal | Broken)[]): Promise<void> => {
    for (let i = 0; i < events.length; i += batchSize) {
      const batch = events.slice(i, i + batchSize);
      for (const refusal of await ports.publish(source, batch)) seen.refuse(refusal);
      ports.onProgress?.({ kind: 'published', source, signals: batch.length });
    }
  };
  const run = async (story: string, step: Step): Promise<string | undefined> => {
    signal?.throwIfAborted();
    switch (step.do) {
      case 'publish':
        await publish(step.source, step.signals);
        return undefined;
      case 'offer':
        await publish(step.source, [step.event]);
        return undefined;
      case 'wait':
        return (await until(step.until)) ? undefined : step.for;
      case 'act':
        if (step.unless(look())) return undefined;
        await ports.act(step.act(seen));
        ports.onProgress?.({ kind: 'acted', story, detail: step.detail });
        return undefined;
    }
  };

  for (const step of sample.setup) {
    const missed = await run('setup', step);
    if (missed !== undefined) throw new Error(`the sample waited in vain for ${missed}`);
  }
  const missed = await Promise.all(
    sample.stories.map(async (story) => {
      for (const step of story.steps) {
        const what = await run(story.id, step);
        if (what !== undefined) return what;
      }
      if (!(await until(story.outcome))) return 'its end';
      ports.onProgress?.({ kind: 'told', story: resultOf(story, seen) });
      return undefined;
    }),
  );
  look();
  return sample.stories.map((story, i) => resultOf(story, seen, missed[i]));
}

const resultOf = (story: Story, seen: Seen, missed?: string): StoryResult => {
  const ok = missed === undefined && story.outcome(seen);
  const detail = missed === undefined ? story.summary(seen) : `${story.summary(seen)} (waited in vain for ${missed})`;
  return { id: story.id, title: story.title, ok, detail };
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
