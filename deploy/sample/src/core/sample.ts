import { unanswered } from './seen.js';
import { dayMinutes, engaged, everyday, people, type Signal, signalMaker } from './signals.js';
import { badSignalsStory } from './stories/bad-signals.js';
import { capStory, pauseStory, shiftStory, stopStory } from './stories/budgets.js';
import {
  accountNamed,
  contactAt,
  firstTouchStory,
  frequencyStory,
  surgeStory,
  unsubscribeStory,
} from './stories/surges.js';
import type { SandboxCampaign, Step, Story } from './story.js';
import { type Campaign, cast, type World, world } from './world.js';

export interface Sample {
  readonly world: World;
  /** Before the stories: the sandbox's campaigns, people, and what went on in two weeks. */
  readonly setup: readonly Step[];
  /** Told at the same time, each in its own order. */
  readonly stories: readonly Story[];
}

/** The seed of the sample that `npm start` plays. */
export const sampleSeed = 20_261_121;

/** The whole sample, from a seed and the instant of the first start: the same two give the same bytes. */
export function sample(start: string, seed: number = sampleSeed): Sample {
  const setting = { seed, start };
  const made = world(seed);
  const known = people(seed, start, made);
  const daily = everyday(seed, start, made);
  return {
    world: made,
    setup: [
      {
        do: 'act',
        detail: 'the sandbox ad platform gets its campaigns',
        // Later starts must not undo what was carried out; what others did here before the sample does not count.
        unless: (seen) => known.some((signal) => seen.answered(signal)),
        act: () => ({ kind: 'campaigns', campaigns: made.campaigns.map(inSandbox) }),
      },
      { do: 'publish', source: 'crm', signals: known },
      {
        do: 'wait',
        for: 'profiles and consents',
        until: (seen) => unanswered(seen, known) === 0,
      },
      { do: 'publish', source: 'ads', signals: daily.ads },
      { do: 'publish', source: 'crm', signals: daily.crm },
      { do: 'publish', source: 'mailer', signals: daily.mailer },
      { do: 'publish', source: 'website', signals: [...daily.website, ...almost(seed, start, made)] },
    ],
    stories: [
      surgeStory(setting, made),
      pauseStory(setting, made),
      shiftStory(setting, made),
      unsubscribeStory(setting, made),
      firstTouchStory(setting, made),
      frequencyStory(setting, made),
      capStory(setting, made),
      badSignalsStory(setting, made),
      stopStory(setting, made),
    ],
  };
}

const inSandbox = (c: Campaign): SandboxCampaign => ({
  campaignId: c.campaignId,
  adAccountId: c.adAccountId,
  dailyBudgetMinor: c.dailyBudgetMinor,
  bidMinor: c.bidMinor,
  currency: c.currency,
  status: 'active',
});

/** Two people of `partner-gmbh` compare: a third signal, from whoever tries the examples of docs/clients.md, makes it a surge. */
function almost(seed: number, start: string, made: World): readonly Signal[] {
  const t = signalMaker(seed, 'almost', start);
  const account = accountNamed(made, cast.partner);
  return [0, 1].map((n) => engaged(t, contactAt(account, n), 'comparison', (1 + n) * dayMinutes));
}

/** Every signal of the sample but the planted ones that no contract allows. */
export function signalsOf({ setup, stories }: Sample): readonly Signal[] {
  return [...setup, ...stories.flatMap((s) => s.steps)].flatMap((step) =>
    step.do === 'publish' && step.source !== 'upstream' ? step.signals : [],
  );
}
