import { clock, type Paint, printable, table } from '@countersign/client/core';
import type { CampaignKnown } from './ledger.js';
import { withNames } from './names.js';

export interface StoriesList {
  readonly stories: readonly {
    readonly id: string;
    readonly sentence: string;
    readonly outcome: string;
    readonly reason: string | null;
    /** The names of its campaigns, as far as the console knows them. */
    readonly campaigns?: readonly CampaignKnown[];
    readonly agent: string;
    readonly startedAt: string;
  }[];
  readonly chains: readonly { readonly id: string; readonly detail: string; readonly at: string }[];
  readonly next: string | null;
  /** Whether more names begin with what was looked for than are looked at. */
  readonly incomplete: boolean;
}
export interface StorySteps {
  readonly story: StoriesList['stories'][number] | null;
  readonly steps: readonly {
    readonly id: number | string;
    /** Whether the console still has its bytes. */
    readonly provable: boolean;
    readonly type: string;
    readonly at: string;
    readonly detail: string;
    readonly by: { readonly name: string };
    readonly topic: string;
    readonly partition: number | null;
    readonly offset: string | null;
    /** The page that shows the trace of its event, if the console knows one. */
    readonly traceUrl?: string | null;
  }[];
  readonly more: boolean;
  /** Whether the steps begin with the first one that happened. */
  readonly complete: boolean;
}

/** What the action of a story does, and why it ended, with the names of its campaigns. */
export const storyLine = ({
  sentence,
  reason,
  campaigns,
}: Pick<StoriesList['stories'][number], 'sentence' | 'reason' | 'campaigns'>): string =>
  withNames(reason === null ? sentence : `${sentence}: ${reason}`, campaigns);

export function storiesText(paint: Paint, given: StoriesList): string {
  const { stories, chains, next, incomplete } = printable(given);
  const others = incomplete
    ? ['More names begin with this than are looked at. Give more of the name with --search to find the others.']
    : [];
  if (stories.length === 0 && chains.length === 0)
    return incomplete
      ? ['No story was found among those that are looked at.', ...others].join('\n')
      : 'There is no such story. The latest ones: countersign stories';
  const rows = stories.map((story) => [clock(story.startedAt), story.outcome, storyLine(story), story.id]);
  const found = chains.map(({ id, detail, at }) => [clock(at), '', detail, id]);
  return [
    table([...rows, ...found]),
    ...(next === null ? [] : [paint.dim(`Older ones: --before ${next}`)]),
    ...others,
  ].join('\n');
}

export function stepsText(paint: Paint, given: StorySteps): string {
  const { story, steps, more, complete } = printable(given);
  const named = (text: string): string => withNames(text, story?.campaigns);
  const title = story === null ? [] : [paint.bold(`${named(story.sentence)} (${story.outcome})`)];
  const why = story?.reason ? [named(story.reason)] : [];
  const rows = steps.map(({ at, detail, by, topic, partition, offset }) => [
    clock(at),
    named(detail),
    by.name,
    partition === null ? topic : `${topic}/${partition}@${offset}`,
  ]);
  const lines =
    rows.length === 0 ? ['The console no longer has its steps; the record does: countersign show.'] : [table(rows)];
  const before =
    steps.length === 0 || complete ? [] : ['The console does not have its first steps: countersign show tells all.'];
  const behind = more ? ['There are more steps: countersign show tells all.'] : [];
  return [...title, ...why, ...before, ...lines, ...behind].join('\n');
}
