import { randomUUID } from 'node:crypto';
import { type ActionApproved, type DataOf, derivedId, digestOf } from '@countersign/contracts';
import { type Intruder, later, sampleOf } from './intruder.js';

/** What a plant may use. */
export interface Ground {
  readonly intruder: Intruder;
  readonly sql: (text: string, values?: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>;
  /** Messages that really were sent, each to be used by one plant, and the task of their account. */
  readonly message: () => ActionApproved;
  readonly task: ActionApproved;
}

/** One violation of one invariant, and how to make it. */
export interface Plant {
  readonly what: string;
  readonly invariant: string;
  /** The text of the violation. */
  readonly detail: RegExp;
  /** Returns an id that the violation names. `afterwards` happens later than the tolerance. */
  readonly plant: (
    ground: Ground,
  ) => Promise<string | { readonly id: string; readonly afterwards: () => Promise<void> }>;
}

const account = (): string => `planted-${randomUUID().slice(0, 8)}`;
/** The age of things that should already have ended. */
const past = -30;
/** Beyond the tolerance of clocks. */
const hour = 3_600;

const grant = (contactId: string, version: number, status: 'granted' | 'withdrawn'): DataOf<'ConsentsChanged'> => {
  const entry = { purpose: 'sales', channel: 'email', source: '/sources/crm', signalId: randomUUID() } as const;
  const entries = [{ ...entry, status, at: later(0) }];
  return { contactId, version, changedAt: later(0), entries, suppressions: [] };
};
const control = (scope: string, version = 1): DataOf<'ControlChanged'> => {
  return { scope, version, state: 'stopped', by: 'somebody', reason: 'planted', changedAt: later(0) };
};
const taskOf = (change: Partial<DataOf<'TaskAssigned'>>): DataOf<'TaskAssigned'> => {
  return { ...sampleOf<'TaskAssigned'>('TaskAssigned'), taskId: randomUUID(), assignedAt: later(past), ...change };
};
const review = (
  subject: DataOf<'ReviewDecided'>['subject'],
  digest: string,
): Omit<DataOf<'ReviewDecided'>, 'action'> => {
  return { reviewId: randomUUID(), subject, digest, decision: 'approve', by: 'lea', at: later(0) };
};

const permitted: readonly Omit<Plant, 'invariant'>[] = [
  {
    what: 'a settlement of a permit that was never approved',
    detail: /settled it as executed, but no such permit was approved/,
    plant: async ({ intruder, task }) => {
      const permitId = randomUUID();
      await intruder.settle({ ...task, permitId, executor: 'downstream' }, 'executed');
      return permitId;
    },
  },
  {
    what: 'a settlement by an executor whom the permit does not name',
    detail: /downstream settled it as executed, but the permit is for action-executor\/mailer/,
    plant: async ({ intruder, message }) => {
      const approval = message();
      await intruder.settle({ ...approval, executor: 'downstream' }, 'executed');
      return approval.permitId;
    },
  },
  {
    what: 'a settlement of a permit that nobody signed',
    detail: /settled it as executed, but the signature is not of this permit/,
    plant: async ({ intruder }) => {
      const approval = await intruder.approve({ kind: 'crm.create_task', account: account(), badSignature: true });
      await intruder.settle(approval, 'executed');
      return approval.permitId;
    },
  },
  {
    what: 'the execution of another action than the permit is for',
    detail: /what was settled is not the action .* of the permit/,
    plant: async ({ intruder }) => {
      const approval = await intruder.approve({ kind: 'crm.create_task', account: account() });
      await intruder.settle(approval, 'executed', { actionId: randomUUID() });
      return approval.permitId;
    },
  },
  {
    what: 'an execution before its time',
    detail: /executed at .*, before .*, when it might run/,
    plant: async ({ intruder }) => {
      const planted = { kind: 'crm.create_task', account: account(), from: hour, expires: 2 * hour } as const;
      const approval = await intruder.approve(planted);
      await intruder.settle(approval, 'executed');
      return approval.permitId;
    },
  },
  {
    what: 'an effect in a connected system that nobody approved',
    detail: /a connected system has it since .*, and no approval leads to it/,
    plant: ({ sql }) => effect(sql, randomUUID()),
  },
  {
    what: 'an effect of a permit that was settled as failed',
    detail: /settled as failed, and the effect is there since/,
    plant: async ({ intruder, sql }) => {
      const approval = await intruder.approve({ kind: 'crm.create_task', account: account() });
      await intruder.settle(approval, 'failed');
      await effect(sql, derivedId('sandbox-task', approval.actionId));
      return approval.permitId;
    },
  },
  {
    what: 'an approval of what nobody proposed',
    detail: /it approves proposal .*, which sequencing-agent never made/,
    plant: async ({ intruder }) => {
      const approval = await intruder.approve({ kind: 'crm.create_task', account: account(), proposed: 'not' });
      await intruder.settle(approval, 'executed');
      return approval.permitId;
    },
  },
  {
    what: 'an approval whose task the orchestrator did not assign',
    detail: /^its task .* was assigned to nobody/,
    plant: async ({ intruder }) => {
      const approval = await intruder.approve({ kind: 'crm.create_task', account: account(), assigned: 'not' });
      await intruder.settle(approval, 'executed');
      return approval.permitId;
    },
  },
  {
    what: 'an approval of another action than was proposed',
    detail: /it approves another action than proposal .* proposes/,
    plant: async ({ intruder }) => {
      const approval = await intruder.approve({ kind: 'crm.create_task', account: account(), proposed: 'otherwise' });
      await intruder.settle(approval, 'executed');
      return approval.permitId;
    },
  },
];

async function effect(sql: Ground['sql'], taskId: string): Promise<string> {
  await sql(
    `INSERT INTO sandbox_systems.tasks (task_id, title, note, due_at) VALUES ($1, 'planted', 'planted', now())`,
    [taskId],
  );
  return taskId;
}

const once: readonly Omit<Plant, 'invariant'>[] = [
  {
    what: 'a permit that was executed twice',
    detail: /it has more than one end: executed, executed/,
    plant: async ({ intruder, message }) => {
      const approval = message();
      await intruder.settle(approval, 'executed');
      return approval.permitId;
    },
  },
  {
    what: 'a second end that comes under the first one’s event id',
    detail: /it has more than one end: failed, executed/,
    plant: async ({ intruder }) => {
      const approval = await intruder.approve({ kind: 'crm.create_task', account: account() });
      const id = randomUUID();
      await intruder.settle(approval, 'failed', { id });
      await intruder.settle(approval, 'executed', { id });
      return approval.permitId;
    },
  },
  {
    what: 'an action that was executed under two permits',
    detail: /executed under 2 permits/,
    plant: async ({ intruder }) => {
      const planted = { kind: 'crm.create_task', account: account(), proposalId: randomUUID() } as const;
      for (const approval of [await intruder.approve(planted), await intruder.approve(planted)])
        await intruder.settle(approval, 'executed');
      return derivedId('planted', planted.proposalId);
    },
  },
  {
    what: 'an execution that the connected system does not show',
    detail: /settled as executed, and the action-executor\/mailer sandbox does not have it/,
    plant: async ({ sql, message }) => {
      const { permitId, actionId } = message();
      const gone = await sql('DELETE FROM sandbox_systems.messages WHERE message_id = $1 RETURNING message_id', [
        derivedId('sandbox-message', actionId),
      ]);
      if (gone.length !== 1) throw new Error(`no message of action ${actionId}`);
      return permitId;
    },
  },
];

const nothingLost: readonly Omit<Plant, 'invariant'>[] = [
  {
    what: 'a signal without an outcome',
    detail: /^signal waits for signal-ingestion/,
    plant: async ({ intruder }) => (await intruder.signal('signals.inbound.website.v1')).id,
  },
  {
    what: 'a profile that an accepted signal made and nobody published',
    detail: /^version 5 of profile:account:.* waits for signal-ingestion to publish it/,
    plant: async ({ intruder }) => {
      const signalId = randomUUID();
      const madeFrom = { [`profile:account:${account()}`]: 5 };
      const accepted = { ...sampleOf<'SignalAccepted'>('SignalAccepted'), signalId, madeFrom };
      await intruder.write('signals.accepted.v1', 'SignalAccepted', accepted);
      return signalId;
    },
  },
  {
    what: 'a task that no agent answers',
    detail: /^task waits for paid-media-agent/,
    plant: async ({ intruder }) => {
      const task = taskOf({ dueAt: later(past) });
      await intruder.write('tasks.assigned.v1', 'TaskAssigned', task);
      return task.taskId;
    },
  },
  {
    what: 'a proposal that its task’s answer names and nobody published',
    detail: /^proposal waits for paid-media-agent to publish it/,
    plant: async ({ intruder }) => {
      const proposalIds = [randomUUID()];
      const settled = { ...sampleOf<'TaskSettled'>('TaskSettled'), taskId: randomUUID(), proposalIds, at: later(0) };
      await intruder.write('tasks.settled.paid-media-agent.v1', 'TaskSettled', settled);
      return proposalIds[0] as string;
    },
  },
  {
    what: 'a task that a person let go out and that never went',
    detail: /^approved task waits for orchestrator/,
    plant: async ({ intruder }) => {
      const [checkpointId, tasks] = [randomUUID(), [taskOf({ dueAt: later(hour) })]];
      const escalated = {
        ...sampleOf<'TaskEscalated'>('TaskEscalated'),
        ...{ checkpointId, tasks, reviewers: ['lea'], digest: digestOf(tasks), deadline: later(hour), at: later(0) },
      };
      await intruder.write('tasks.escalated.v1', 'TaskEscalated', escalated);
      const answer = review({ kind: 'checkpoint', id: checkpointId }, escalated.digest);
      await intruder.write('reviews.decided.v1', 'ReviewDecided', answer);
      return tasks[0]?.taskId ?? '';
    },
  },
  {
    what: 'a proposal without a verdict',
    detail: /^proposal waits for guardrail-validator/,
    plant: async ({ intruder }) => {
      const proposalId = randomUUID();
      const proposal = { ...sampleOf<'ActionProposed'>('ActionProposed.crm.create_task'), proposalId };
      await intruder.write('actions.proposed.sequencing-agent.v1', 'ActionProposed', proposal);
      return proposalId;
    },
  },
  {
    what: 'an escalation that nothing closed by its deadline',
    detail: /^escalation waits for lea/,
    plant: async ({ intruder }) => {
      const proposalId = randomUUID();
      const sample = sampleOf<'ActionEscalated'>('ActionEscalated');
      const escalated = { ...sample, proposalId, reviewers: ['lea'], deadline: later(past) };
      await intruder.write('actions.escalated.v1', 'ActionEscalated', escalated);
      return proposalId;
    },
  },
  {
    what: 'a person’s answer that nobody heard',
    detail: /^answer waits for guardrail-validator/,
    plant: async ({ intruder }) => {
      const answer = review({ kind: 'proposal', id: randomUUID() }, 'a'.repeat(64));
      await intruder.write('reviews.decided.v1', 'ReviewDecided', answer);
      return answer.reviewId;
    },
  },
  {
    what: 'a permit that expired without an end',
    detail: /^permit waits for downstream since .*, at most until/,
    plant: async ({ intruder }) => {
      const planted = { kind: 'crm.create_task', account: account(), from: 2 * past, expires: past } as const;
      return (await intruder.approve(planted)).permitId;
    },
  },
  {
    what: 'a person’s word on an unresolved permit that its executor did not follow',
    detail: /^decision on an unresolved permit waits for downstream/,
    plant: async ({ intruder }) => {
      const approval = await intruder.approve({ kind: 'crm.create_task', account: account() });
      await intruder.settle(approval, 'unresolved');
      const { permitId, actionId, proposalId, digest, executor, connector } = approval;
      const word = { decisionId: randomUUID(), outcome: 'failed', by: 'lea', note: 'planted', at: later(0) } as const;
      const decided = { permitId, actionId, proposalId, digest, executor, connector, ...word };
      await intruder.write('settlements.decided.v1', 'SettlementDecided', decided);
      return permitId;
    },
  },
  {
    what: 'an approval without a valid permit that its executor did not reject',
    detail: /^approval without a valid permit waits for downstream/,
    plant: async ({ intruder }) => {
      await intruder.approve({ kind: 'crm.create_task', account: account(), badSignature: true });
      return intruder.places.at(-1) ?? '';
    },
  },
  {
    what: 'an approval that repeats a permit and that its executor did not reject',
    detail: /^repeated approval waits for downstream/,
    plant: async ({ intruder }) => {
      const planted = { kind: 'crm.create_task', account: account(), from: 2 * past, expires: past } as const;
      const approval = await intruder.approve(planted);
      await intruder.settle(approval, 'executed');
      return intruder.approveAgain(approval);
    },
  },
  {
    what: 'a record that no contract reads and nobody buried',
    detail: /^unreadable record \(.*\) waits for its reader to bury it/,
    plant: ({ intruder }) => intruder.writeRaw('tasks.assigned.v1', 'no event at all'),
  },
];

const policies: readonly Omit<Plant, 'invariant'>[] = [
  {
    what: 'a permit that was judged under a policy that nobody published',
    detail: /judged under a version 99 of the policy that was never published/,
    plant: async ({ intruder }) => {
      const approval = await intruder.approve({ kind: 'crm.create_task', account: account(), policyVersion: 99 });
      await intruder.settle(approval, 'executed');
      return approval.permitId;
    },
  },
];

const judged: readonly Omit<Plant, 'invariant'>[] = [
  {
    what: 'a permit that the validator did not give',
    detail: /the validator has neither this verdict nor its permit/,
    plant: async ({ intruder }) => (await intruder.approve({ kind: 'crm.create_task', account: account() })).permitId,
  },
  {
    what: 'a fact that was altered where the validator stores it',
    detail: /judged under other facts than were published: the consents of contact/,
    plant: ({ sql, message }) => altered(sql, message(), '{consents,CONTACT,version}', '0'),
  },
  {
    what: 'a fact that no topic has, altered so that the verdict would be another',
    detail: /it was approved, and judged again under the published policy it is refused: sends-per-hour/,
    plant: ({ sql, message }) => altered(sql, message(), '{ledgers,sends:sequencing-agent,held}', '1000000'),
  },
];

async function altered(sql: Ground['sql'], approval: ActionApproved, path: string, value: string): Promise<string> {
  const { contactId } = approval.action.payload as { contactId: string };
  const changed = await sql(
    `UPDATE guardrail_validator.verdicts SET facts = jsonb_set(facts::jsonb, $2::text[], $3::jsonb, false)::json
     WHERE proposal_id = $1 AND outcome = 'approved' RETURNING verdict_id`,
    [approval.proposalId, path.replace('CONTACT', contactId), value],
  );
  if (changed.length !== 1) throw new Error(`no verdict of ${approval.proposalId}`);
  return approval.permitId;
}

const limits: readonly Omit<Plant, 'invariant'>[] = [
  {
    what: 'a permit that reserves less than it takes',
    detail: /it takes (?=.*sends:sequencing-agent 1)(?=.*touch:\S+ 1).* and reserves nothing/,
    plant: async ({ intruder }) => {
      const approval = await intruder.approve({ kind: 'email.send', account: account(), reserves: [] });
      await intruder.settle(approval, 'failed');
      return approval.permitId;
    },
  },
  {
    what: 'more money than a day allows',
    detail: /60000 held or spent at .*, the limit is 50000/,
    plant: async ({ intruder }) => {
      const approval = await intruder.approve({
        kind: 'ads.shift_budget',
        account: account(),
        payload: { toCampaignId: `cmp-${account()}`, amountMinor: 60_000 },
      });
      await intruder.settle(approval, 'executed');
      return approval.permitId;
    },
  },
  {
    what: 'more touches of a person than the window allows',
    detail: /2 within the window that ends .*, the limit is 1/,
    plant: async ({ intruder }) => {
      const contactId = randomUUID();
      for (let n = 0; n < 2; n++) {
        const approval = await intruder.approve({ kind: 'email.send', account: account(), payload: { contactId } });
        await intruder.settle(approval, 'executed');
      }
      return `touch:${contactId}`;
    },
  },
];

const consents: readonly Omit<Plant, 'invariant'>[] = [
  {
    what: 'a message to somebody who never agreed',
    detail: /consent was never given in version 0, under which it was judged/,
    plant: async ({ intruder }) => {
      const approval = await intruder.approve({ kind: 'email.send', account: account() });
      await intruder.settle(approval, 'executed');
      return approval.permitId;
    },
  },
  {
    what: 'a message that was judged under a consent that nobody published',
    detail: /it was judged under version 9 of the consents, which is not on the topic/,
    plant: async ({ intruder }) => {
      const contactId = randomUUID();
      const epochs = { [`consent:${contactId}`]: 9 };
      const planted = { kind: 'email.send', account: account(), payload: { contactId }, epochs } as const;
      const approval = await intruder.approve(planted);
      await intruder.settle(approval, 'executed');
      return approval.permitId;
    },
  },
  {
    what: 'a message after a withdrawal',
    detail: /and consent was withdrawn since .* \(version 2, judged under 1\)/,
    plant: async ({ intruder }) => {
      const contactId = randomUUID();
      await intruder.write('consents.v1', 'ConsentsChanged', grant(contactId, 1, 'granted'));
      const epochs = { [`consent:${contactId}`]: 1 };
      const planted = { kind: 'email.send', account: account(), payload: { contactId }, epochs } as const;
      const approval = await intruder.approve(planted);
      await intruder.write('consents.v1', 'ConsentsChanged', grant(contactId, 2, 'withdrawn'));
      return { id: approval.permitId, afterwards: () => intruder.settle(approval, 'executed') };
    },
  },
];

const reservations: readonly Omit<Plant, 'invariant'>[] = [
  {
    what: 'a reservation of another amount',
    detail: /touch:.* reserves 6, the permit holds 1/,
    plant: ({ sql, message }) => booked(sql, message(), 'SET amount = amount + 5'),
  },
  {
    what: 'a reservation that was released although it was spent',
    detail: /touch:.* is released, by the settlements it is committed/,
    plant: ({ sql, message }) => booked(sql, message(), `SET state = 'released'`),
  },
  {
    what: 'a reservation that is not there',
    detail: /touch:.* is not reserved/,
    plant: async ({ sql, message }) => {
      const { permitId } = message();
      await sql(`DELETE FROM guardrail_validator.reservations WHERE permit_id = $1 AND ledger LIKE 'touch:%'`, [
        permitId,
      ]);
      return permitId;
    },
  },
  {
    what: 'a reservation that its permit does not name',
    detail: /planted:.* is reserved, and the permit does not name it/,
    plant: async ({ sql, task }) => {
      await reserve(sql, task.permitId);
      return task.permitId;
    },
  },
  {
    what: 'a reservation for a permit that is on no topic',
    detail: /planted:.* holds 1 for a permit that is not on the topic/,
    plant: async ({ sql }) => {
      const permitId = randomUUID();
      await sql(
        `INSERT INTO guardrail_validator.permits (permit_id, proposal_id, action_id, digest, executor, connector, permit, expires_at, at)
         VALUES ($1, $1, $1, '', 'downstream', 'crm', '', now(), now())`,
        [permitId],
      );
      await reserve(sql, permitId);
      return permitId;
    },
  },
];

async function booked(sql: Ground['sql'], { permitId }: ActionApproved, change: string): Promise<string> {
  const changed = await sql(
    `UPDATE guardrail_validator.reservations ${change} WHERE permit_id = $1 AND ledger LIKE 'touch:%' RETURNING ledger`,
    [permitId],
  );
  if (changed.length !== 1) throw new Error(`permit ${permitId} reserves no touch`);
  return permitId;
}

async function reserve(sql: Ground['sql'], permitId: string): Promise<void> {
  await sql('INSERT INTO guardrail_validator.ledgers VALUES ($1)', [`planted:${permitId}`]);
  await sql(
    `INSERT INTO guardrail_validator.reservations (permit_id, ledger, amount, state, counts_at, at)
     VALUES ($1, $2, 1, 'held', now(), now())`,
    [permitId, `planted:${permitId}`],
  );
}

const stops: readonly Omit<Plant, 'invariant'>[] = [
  {
    what: 'an execution after a stop',
    detail: /it ran at .*, and account:.* was stopped by somebody at .* \(version 1, judged under 0\)/,
    plant: async ({ intruder }) => {
      const approval = await intruder.approve({ kind: 'crm.create_task', account: account() });
      await intruder.write('controls.v1', 'ControlChanged', control(`account:${approval.action.accountId}`));
      return { id: approval.permitId, afterwards: () => intruder.settle(approval, 'executed') };
    },
  },
  {
    what: 'an approval of what is stopped, executed',
    detail: /it was approved while account:.* was stopped by somebody \(version 1\)/,
    plant: async ({ intruder }) => {
      const accountId = account();
      await intruder.write('controls.v1', 'ControlChanged', control(`account:${accountId}`));
      const epochs = { [`control:account:${accountId}`]: 1 };
      const approval = await intruder.approve({ kind: 'crm.create_task', account: accountId, epochs });
      await intruder.settle(approval, 'executed');
      return approval.permitId;
    },
  },
];

const binding: readonly Omit<Plant, 'invariant'>[] = [
  {
    what: 'a version of state that was given out twice',
    detail: /version 1 of account:.* was given out twice/,
    plant: async ({ intruder }) => {
      const scope = `account:${account()}`;
      await intruder.write('controls.v1', 'ControlChanged', control(scope));
      return intruder.write('controls.v1', 'ControlChanged', { ...control(scope), reason: 'planted again' });
    },
  },
  {
    what: 'a version of state that its writer does not have',
    detail: /is on controls\.v1, and its writer's table has version 0: its next change would be ignored/,
    plant: ({ intruder }) => intruder.write('controls.v1', 'ControlChanged', control(`account:${account()}`)),
  },
  {
    what: 'a reader without state that its writer has',
    detail: /guardrail-validator holds version 0 of account:.* of profiles\.v1, and its writer has had version/,
    plant: async ({ sql, task }) => {
      const key = `account:${task.action.accountId}`;
      const gone = await sql(
        `DELETE FROM guardrail_validator.state_rows WHERE topic = 'profiles.v1' AND key = $1 RETURNING key`,
        [key],
      );
      if (gone.length !== 1) throw new Error(`the validator holds no ${key}`);
      return key;
    },
  },
];

const violating = (invariant: string, plants: readonly Omit<Plant, 'invariant'>[]): Plant[] =>
  plants.map((plant) => ({ invariant, ...plant }));

/** Every violation that the audit can find on topics and tables. Violations of the record are beside the test. */
export const plants: readonly Plant[] = [
  ...violating('permitted', permitted),
  ...violating('policies', policies),
  ...violating('judged', judged),
  ...violating('once', once),
  ...violating('nothing-lost', nothingLost),
  ...violating('limits', limits),
  ...violating('consents', consents),
  ...violating('reservations', reservations),
  ...violating('stops', stops),
  ...violating('binding', binding),
];
