import { ControlScope, Instant, Name, Uuid } from '@countersign/contracts';
import { z } from 'zod';
import { ControlsAnswer, FunnelAnswer } from './answers.js';
import { NamedCampaigns, NamedPeople, ScopeName } from './names.answers.js';
import { stages } from './now-changes.js';

/* The answers for the page Now, for the OpenAPI document. */

const Currency = z.string();
const ReviewWaiting = z.object({
  id: Uuid,
  subject: z.enum(['proposal', 'checkpoint']),
  detail: z.string(),
  agent: z.string().nullable().describe("Who asks; null at a play's checkpoint"),
  play: z.string(),
  account: z.string().nullable(),
  campaigns: NamedCampaigns,
  since: Instant,
  deadline: Instant,
});
const ReviewsWaiting = z.object({ count: z.int(), oldestAt: Instant.nullable(), first: z.array(ReviewWaiting) });
const SpendFigure = z.object({
  id: z.string(),
  name: z.string().nullable().describe('Of a campaign, if the console knows it; an ad account has none'),
  day: z.string(),
  currency: Currency,
  heldMinor: z.int().describe('Approved, and not settled yet or unresolved'),
  committedMinor: z.int().describe('Executed'),
  capMinor: z.int().nullable().describe('The lowest cap of the agents that draw on it today'),
  agents: z.array(z.string()),
});
const ServiceAnswer = z.object({
  service: z.string(),
  elsewhere: z.boolean(),
  state: z.enum(['confirmed', 'not-confirmed']),
  detail: z.string(),
  instances: z.int().nullable(),
  lastMemberAt: Instant.nullable(),
  lastEventAt: Instant.nullable(),
  openDeadLetters: z.int(),
  controlsNotConfirmed: z.int(),
});

export const NowAnswer = z.object({
  at: Instant,
  funnel: FunnelAnswer,
  rates: z.array(
    z.object({
      stage: z.enum(stages),
      lastMinute: z.int(),
      lastHour: z.int(),
      perMinute: z.array(z.int()).describe('The last 60 minutes, the oldest first'),
      byLabel: z.record(z.string(), z.int()).describe('Of the last hour, by how it ended'),
    }),
  ),
  waiting: z.object({
    reviews: ReviewsWaiting,
    unresolved: z.object({
      count: z.int(),
      oldestAt: Instant.nullable(),
      first: z.array(
        z.object({
          permitId: Uuid,
          executor: Name,
          connector: Name,
          action: z
            .object({ detail: z.string(), people: NamedPeople, campaigns: NamedCampaigns })
            .nullable()
            .describe('What was approved, as far as the console still has it'),
          detail: z.string().nullable(),
          at: Instant,
          decidedBy: z.string().nullable(),
        }),
      ),
    }),
    deadLetters: z.object({
      count: z.int(),
      oldestAt: Instant.nullable(),
      byService: z.array(z.object({ service: z.string(), n: z.int(), oldestAt: Instant })),
    }),
    gaps: z
      .object({
        count: z.int(),
        oldestAt: Instant.nullable(),
        byService: z.array(z.object({ service: z.string(), n: z.int(), oldestAt: Instant })),
      })
      .describe('Records that a service could not read, and that nobody has acknowledged'),
  }),
  spend: z.object({
    explained: z.string(),
    adAccounts: z.array(SpendFigure),
    campaigns: z.array(SpendFigure),
    agents: z.array(SpendFigure),
    more: z.object({ adAccounts: z.int(), campaigns: z.int() }),
    caps: z.array(z.object({ agent: Name, currency: Currency, adAccountMinor: z.int(), campaignMinor: z.int() })),
  }),
  stops: ControlsAnswer.shape.controls,
  lifted: ControlsAnswer.shape.controls.describe('Stops that were lifted in the last seven days, the latest first'),
  permitsRejected: z
    .object({
      count: z.int(),
      first: z.array(
        z.object({
          detail: z.string().describe('Which executor rejected it, and why'),
          count: z.int(),
          lastAt: Instant,
          proposalId: z.string().nullable().describe('Of the latest one, as its approval names it'),
        }),
      ),
    })
    .describe('Permits that an executor rejected in the last seven days. Only the latest 1,000 are counted'),
  services: z.array(ServiceAnswer),
  askedBrokerAt: Instant.nullable(),
  agents: z.array(Name).describe('Who can be stopped'),
  plays: z.array(Name),
  playTitles: z.array(z.object({ id: Name, title: z.string() })).describe('The same plays with their titles'),
});

export const QueueAnswer = z.object({
  at: Instant,
  scope: ControlScope,
  name: ScopeName,
  tasks: z.object({
    count: z.int(),
    first: z.array(
      z.object({ taskId: Uuid, agent: Name, play: Name, purpose: z.string(), assignedAt: Instant, dueAt: Instant }),
    ),
  }),
  reviews: ReviewsWaiting,
  approved: z.object({
    count: z.int(),
    due: z.int().describe('Of these, how many may be called now'),
    first: z.array(
      z.object({
        actionId: Uuid,
        proposalId: Uuid,
        agent: Name,
        play: Name,
        executor: Name,
        detail: z.string(),
        people: NamedPeople,
        campaigns: NamedCampaigns,
        approvedAt: Instant,
        notBefore: Instant,
        expiresAt: Instant,
      }),
    ),
  }),
});
