import type { Seen } from './seen.js';
import type { Signal, Source } from './signals.js';
import type { Campaign } from './world.js';

/** What a person, or the operator of the sandbox, does in a story. */
export type Act =
  | { readonly kind: 'stop' | 'resume'; readonly scope: string; readonly reason: string; readonly by: string }
  | {
      readonly kind: 'review';
      /** The proposal that waits. */
      readonly subjectId: string;
      /** What the person saw. */
      readonly digest: string;
      readonly decision: 'approve' | 'edit' | 'reject';
      /** The payload of an edit. */
      readonly payload?: Readonly<Record<string, unknown>>;
      readonly note: string;
      readonly by: string;
    }
  /** Puts campaigns into the sandbox ad platform. */
  | { readonly kind: 'campaigns'; readonly campaigns: readonly SandboxCampaign[] };

/** A campaign as the sandbox ad platform takes it. */
export type SandboxCampaign = Pick<
  Campaign,
  'campaignId' | 'adAccountId' | 'dailyBudgetMinor' | 'bidMinor' | 'currency'
> & { readonly status: 'active' };

export type Step =
  | { readonly do: 'publish'; readonly source: Source; readonly signals: readonly Signal[] }
  /** One event that is not valid, alone: it must be refused over HTTP. */
  | { readonly do: 'offer'; readonly source: Source; readonly event: Broken }
  | { readonly do: 'wait'; readonly for: string; readonly until: (seen: Seen) => boolean }
  | {
      readonly do: 'act';
      readonly detail: string;
      readonly act: (seen: Seen) => Act;
      /** Done already, perhaps at an earlier start. */
      readonly unless: (seen: Seen) => boolean;
    };

/** A planted event that no contract allows. */
export type Broken = Omit<Signal, 'data' | 'type'> & { readonly type: string; readonly data: unknown };

export interface Story {
  readonly id: string;
  readonly title: string;
  readonly steps: readonly Step[];
  /** Whether it has ended as it should. */
  readonly outcome: (seen: Seen) => boolean;
  /** One line: what happened and why, as far as it has. */
  readonly summary: (seen: Seen) => string;
}

/** What every story needs to be made. */
export interface Setting {
  readonly seed: number;
  /** The first start, RFC 3339. */
  readonly start: string;
}
