import { type ActionProposed, derivedId, proposalIdOf, type TaskAssigned, toBinary } from '@countersign/contracts';
import { kafkajs } from '@countersign/kafka';
import type { System } from './installation.js';
import { atRest, type Known } from './people.js';
import { type BenchSequence, footer } from './settings.js';

const agent = 'sequencing-agent';
const topic = `actions.proposed.${agent}.v1`;

/** The task of a person's account: all that is proposed about the person names it. */
const taskOf = ({ accountId, contactId, versions }: Known, at: string): TaskAssigned => ({
  taskId: derivedId('bench-task', accountId),
  play: { id: 'bench-b', runId: derivedId('bench-run', accountId), title: 'One person engages' },
  agent,
  purpose: 'Follow up with the person who engaged',
  kinds: ['sequence.enroll', 'email.send'],
  // A person is in several sequences here, all of them for sales.
  settings: { purpose: 'sales' },
  accountId,
  contactIds: [contactId],
  evidence: [],
  assignedAt: at,
  // Past: the agent itself declines it, and proposes nothing of its own.
  dueAt: new Date(Date.parse(at) - 1_000).toISOString(),
  madeFrom: { ...versions },
});

/** Assigns the tasks of people as the orchestrator does, and waits until the validator has read them and the agent has answered. */
export async function assignTasks(system: System, people: readonly Known[]): Promise<void> {
  const at = new Date().toISOString();
  const out = await publisher(system, 'orchestrator', 'tasks.assigned.v1');
  try {
    await out.publish(
      people.map((person) => {
        const data = taskOf(person, at);
        const id = derivedId('bench-assigned', data.taskId);
        const { headers, value } = toBinary({
          id,
          source: '/countersign/orchestrator',
          type: 'TaskAssigned',
          time: at,
          data,
        });
        return { key: person.accountId, value, headers };
      }),
    );
  } finally {
    await out.close();
  }
  const read = `SELECT count(*)::int AS n FROM guardrail_validator.followed_state WHERE topic = 'tasks.assigned.v1' AND key = ANY($1)`;
  const ids = people.map((person) => taskOf(person, at).taskId);
  await system.until(
    `${people.length} tasks to be read`,
    async () => ((await system.query<{ n: number }>(read, [ids]))[0]?.n === ids.length ? true : undefined),
    { everyMs: 500, forMs: 600_000 },
  );
  await atRest(system);
}

/** An enrolment as the sequencing agent proposes it; `chain` is the id that its verdict and settlement carry. */
export const enrolment = (person: Known, sequence: BenchSequence, chain: string, at: string): kafkajs.Message =>
  proposal(person, chain, at, 'sequence.enroll', {
    contactId: person.contactId,
    sequenceId: sequence,
    purpose: 'sales',
  });

/** A message that is to be sent at `sendAt`, by itself rather than as the step of a sequence. */
export const message = (person: Known, chain: string, at: string, sendAt: string): kafkajs.Message =>
  proposal(person, chain, at, 'email.send', {
    contactId: person.contactId,
    purpose: 'sales',
    template: 'bench-message',
    subject: 'For {{contact.firstName}}',
    body: `Hello {{contact.firstName}},\n\nthis is one of many.\n${footer}`,
    sendAt,
  });

function proposal(
  person: Known,
  chain: string,
  at: string,
  kind: ActionProposed['action']['kind'],
  payload: Record<string, unknown>,
): kafkajs.Message {
  const { accountId, contactId, versions } = person;
  const { taskId, play, purpose, kinds } = taskOf(person, at);
  const proposalId = proposalIdOf(agent, taskId, chain);
  const data: ActionProposed = {
    proposalId,
    taskId,
    item: chain,
    agent,
    play,
    purpose,
    kinds,
    action: { actionId: derivedId('action', proposalId), kind, accountId, payload },
    rationale: "1 signal(s) of this contact within the play's window.",
    evidence: [
      {
        source: '/sources/upstream',
        signalId: chain,
        type: 'ContentEngaged',
        occurredAt: at,
        accountId,
        contactId,
        detail: 'content engaged: topic bench-b',
      },
    ],
    confidence: 0.8,
    alternatives: [{ detail: 'wait for more signals', rejectedBecause: "the play's threshold is met" }],
    planner: { kind: 'rules', name: 'sequencing rules' },
    lineage: 'trusted',
    proposedAt: at,
    madeFrom: { ...versions },
  };
  const { headers, value } = toBinary({
    id: derivedId('bench-proposed', chain),
    source: `/countersign/${agent}`,
    type: 'ActionProposed',
    time: at,
    subject: proposalId,
    correlationid: chain,
    data,
  });
  return { key: accountId, value, headers };
}

/** Publishes proposals as the agent's principal; `close` when done. */
export const proposer = (system: System) => publisher(system, agent, topic);

async function publisher(system: System, principal: string, topic: string) {
  const kafka = new kafkajs.Kafka({
    clientId: 'bench-proposer',
    ...system.running.kafka(principal),
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const producer = kafka.producer({ allowAutoTopicCreation: false, maxInFlightRequests: 5 });
  await producer.connect();
  return {
    publish: async (messages: readonly kafkajs.Message[]): Promise<void> => {
      for (let n = 0; n < messages.length; n += 250)
        await producer.send({ topic, acks: -1, messages: messages.slice(n, n + 250) });
    },
    close: () => producer.disconnect(),
  };
}
