import { type ActionProposed, derivedId, toBinary } from '@countersign/contracts';
import kafkajs from 'kafkajs';
import type { System } from './installation.js';
import type { Known } from './people.js';
import type { BenchSequence } from './settings.js';

const agent = 'sequencing-agent';
const topic = `actions.proposed.${agent}.v1`;

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
    body: 'Hello {{contact.firstName}},\n\nthis is one of many.\n',
    sendAt,
  });

function proposal(
  { accountId, contactId, versions }: Known,
  chain: string,
  at: string,
  kind: ActionProposed['action']['kind'],
  payload: Record<string, unknown>,
): kafkajs.Message {
  const taskId = derivedId('bench-task', chain);
  const proposalId = derivedId('proposal', taskId, 0);
  const data: ActionProposed = {
    proposalId,
    taskId,
    agent,
    play: { id: 'bench-b', runId: derivedId('bench-run', chain), title: 'One person engages' },
    purpose: 'Follow up with the person who engaged',
    kinds: ['sequence.enroll', 'email.send'],
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
        says: 'content engaged: topic bench-b',
      },
    ],
    confidence: 0.8,
    alternatives: [{ says: 'wait for more signals', whyNot: "the play's threshold is met" }],
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
export async function proposer(system: System) {
  const kafka = new kafkajs.Kafka({
    clientId: 'bench-proposer',
    ...system.running.kafka(agent),
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
