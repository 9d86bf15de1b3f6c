import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Action,
  type ActionApproved,
  type ActionProposed,
  type DataOf,
  derivedId,
  digestOf,
  type EventType,
  type PermitClaims,
  type Policy,
  sourceOf,
  toBinary,
  topicNamed,
  topology,
} from '@countersign/contracts';
import { concerns, gateVersion, readSigningKey, seal } from '@countersign/gate';
import type { kafkajs } from '@countersign/kafka';
import { workspaceRoot } from '@countersign/servers';
import type { Visitor } from '../flows/installation.js';

/** A forged permit. What is left out is as the validator would write it. */
export interface Planted {
  readonly kind: 'crm.create_task' | 'email.send' | 'ads.shift_budget';
  readonly account: string;
  readonly payload?: Readonly<Record<string, unknown>>;
  readonly proposalId?: string;
  readonly actionId?: string;
  /** Nobody proposed it, or something else was proposed under its id. */
  readonly proposed?: 'not' | 'otherwise';
  /** The orchestrator assigned its task to nobody. */
  readonly assigned?: 'not';
  readonly reserves?: ActionApproved['reservations'];
  readonly epochs?: Readonly<Record<string, number>>;
  readonly policyVersion?: number;
  /** Seconds from now. */
  readonly from?: number;
  readonly expires?: number;
  readonly badSignature?: true;
}

/** An intruder with every login, the key of the permits and the database's superuser: everything that it writes is well formed. */
export interface Intruder {
  /** Writes as the topic's writer; returns the place, `topic/partition/offset`. */
  write<T extends EventType>(topic: string, type: T, data: DataOf<T>, id?: string, key?: string): Promise<string>;
  /** The same with bytes that are no event. */
  writeRaw(topic: string, value: string, headers?: Readonly<Record<string, string>>): Promise<string>;
  /** An inbound signal; returns its id. */
  signal(topic: string): Promise<{ readonly id: string; readonly place: string }>;
  /** An approval for the executor `downstream`, which nobody runs, with its proposal. */
  approve(planted: Planted): Promise<ActionApproved>;
  /** Another approval with the same permit. */
  approveAgain(approval: ActionApproved): Promise<string>;
  settle(
    approval: ActionApproved,
    outcome: DataOf<'ActionSettled'>['outcome'],
    more?: Partial<DataOf<'ActionSettled'>> & { readonly as?: string; readonly id?: string },
  ): Promise<void>;
  /** The places of everything that was written. */
  readonly places: readonly string[];
  leave(): Promise<void>;
}

const payloads: Readonly<Record<Planted['kind'], () => Record<string, unknown>>> = {
  'crm.create_task': () => ({ title: 'Call them', note: 'They compared.', dueAt: later(3_600) }),
  'email.send': () => ({
    contactId: randomUUID(),
    purpose: 'sales',
    template: 'follow-up',
    subject: 'Hello',
    body: 'A word.',
    sendAt: later(0),
  }),
  'ads.shift_budget': () => ({
    adAccountId: `ads-${randomUUID().slice(0, 8)}`,
    fromCampaignId: 'cmp-from',
    toCampaignId: 'cmp-to',
    amountMinor: 3_000,
    currency: 'EUR',
  }),
};

/** So many seconds from now. */
export const later = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();

const topics = topology();

export function intrude(visitor: Visitor): Intruder {
  const producers = new Map<string, Promise<kafkajs.Producer>>();
  const places: string[] = [];
  const signing = readSigningKey(
    JSON.parse(readFileSync(join(visitor.home, 'secrets/permit-signing.jwk'), 'utf8')) as unknown,
  );
  const send = async (topic: string, message: kafkajs.Message): Promise<string> => {
    const { writer } = topicNamed(topic, topics);
    if (!producers.has(writer)) {
      const producer = visitor.kafka(writer).producer({ allowAutoTopicCreation: false });
      producers.set(
        writer,
        producer.connect().then(() => producer),
      );
    }
    const [sent] = (await (await producers.get(writer))?.send({ topic, acks: -1, messages: [message] })) ?? [];
    const place = `${topic}/${sent?.partition}/${sent?.baseOffset}`;
    places.push(place);
    return place;
  };
  const write: Intruder['write'] = (topic, type, data, id = randomUUID(), key = keyOf(data)) => {
    const { writer } = topicNamed(topic, topics);
    return send(topic, {
      key,
      ...toBinary({ id, source: sourceOf(writer), type, time: later(0), data }),
    });
  };

  const approve: Intruder['approve'] = async (planted) => {
    const policy = visitor.eventsOf('PolicyPublished').at(-1) as Policy;
    const proposal = proposalOf(planted);
    if (planted.assigned !== 'not') await write('tasks.assigned.v1', 'TaskAssigned', taskOf(proposal));
    if (planted.proposed === 'otherwise')
      await write(
        proposedOn(proposal),
        'ActionProposed',
        proposalOf({ ...planted, proposalId: proposal.proposalId, payload: { note: 'Something else.' } }),
      );
    else if (planted.proposed !== 'not') await write(proposedOn(proposal), 'ActionProposed', proposal);
    const at = later(0);
    const { controls, contacts, draws } = concerns(proposal, policy, at);
    const honest = draws.map((draw) => ({
      ledger: draw.ledger,
      amount: draw.amount,
      ...('currency' in draw && { currency: draw.currency }),
    }));
    const digest = digestOf(proposal.action);
    const [nbf, exp] = [planted.from ?? -1, planted.expires ?? 900].map((s) => Math.floor(Date.now() / 1000) + s) as [
      number,
      number,
    ];
    const under = { version: planted.policyVersion ?? policy.version, digest: policy.digest };
    const claims: PermitClaims = {
      iss: '/countersign/guardrail-validator',
      aud: 'downstream/crm',
      jti: randomUUID(),
      sub: proposal.action.actionId,
      iat: Math.floor(Date.now() / 1000),
      nbf,
      exp,
      proposal: proposal.proposalId,
      agent: proposal.agent,
      play: proposal.play.id,
      kind: planted.kind,
      digest,
      tier: 'auto',
      policy: { ...under, parts: policy.parts },
      reservations: [...(planted.reserves ?? honest)],
      epochs: {
        ...Object.fromEntries(controls.map((scope) => [`control:${scope}`, 0])),
        ...Object.fromEntries(contacts.map((id) => [`consent:${id}`, 0])),
        ...planted.epochs,
      },
    };
    const verdict: ActionApproved['verdict'] = {
      outcome: 'approved',
      reasons: [],
      tier: 'auto',
      policy: under,
      at,
      gate: gateVersion,
    };
    const permit = seal({ verdict, digest, claims }, signing);
    const approval: ActionApproved = {
      proposalId: proposal.proposalId,
      actionId: claims.sub,
      taskId: proposal.taskId,
      agent: proposal.agent,
      play: proposal.play,
      digest,
      verdict,
      action: proposal.action,
      permit: planted.badSignature ? `${permit.split('.').slice(0, 2).join('.')}.${'A'.repeat(86)}` : permit,
      permitId: claims.jti,
      executor: 'downstream',
      connector: 'crm',
      notBefore: new Date(nbf * 1000).toISOString(),
      expiresAt: new Date(exp * 1000).toISOString(),
      reservations: claims.reservations,
    };
    await write('actions.approved.v1', 'ActionApproved', approval);
    return approval;
  };

  return {
    places,
    write,
    writeRaw: (topic, value, headers = {}) => send(topic, { key: 'planted', value, headers: { ...headers } }),
    signal: async (topic) => {
      const { source } = topicNamed(topic, topics);
      const id = randomUUID();
      const data = { url: 'https://www.example.com/' };
      const time = later(0);
      const { headers, value } = toBinary({ id, source, type: 'PageViewed', time, data });
      return { id, place: await send(topic, { key: id, headers, value }) };
    },
    approve,
    approveAgain: (approval) => write('actions.approved.v1', 'ActionApproved', approval),
    settle: async (approval, outcome, { as = approval.executor, id, ...more } = {}) => {
      const { permitId, actionId, proposalId, digest, executor, connector } = approval;
      const settled = { permitId, actionId, proposalId, digest, executor, connector, outcome, at: later(0), ...more };
      await write(`actions.settled.${as}.v1`, 'ActionSettled', settled, id);
    },
    leave: async () => {
      for (const producer of producers.values()) await (await producer).disconnect();
    },
  };
}

const proposedOn = ({ agent }: ActionProposed): string => `actions.proposed.${agent}.v1`;

/** The task of a proposal. Its time is over, so its agent proposes nothing of its own. */
function taskOf({ taskId, agent, play, kinds, action }: ActionProposed): DataOf<'TaskAssigned'> {
  const { adAccountId, contactId } = action.payload;
  return {
    ...sampleOf<'TaskAssigned'>('TaskAssigned'),
    ...{ taskId, agent, play, kinds, accountId: action.accountId, campaignId: undefined },
    contactIds: typeof contactId === 'string' ? [contactId] : [],
    ...(typeof adAccountId === 'string' && { adAccountId }),
    assignedAt: later(-30),
    dueAt: later(-20),
  };
}

function proposalOf({ kind, account, payload, proposalId = randomUUID(), actionId }: Planted): ActionProposed {
  const agent = kind.startsWith('ads.') ? 'paid-media-agent' : 'sequencing-agent';
  const action: Action = {
    actionId: actionId ?? derivedId('planted', proposalId),
    kind,
    accountId: account,
    payload: { ...payloads[kind](), ...payload },
  };
  return {
    ...sampleOf<'ActionProposed'>('ActionProposed.crm.create_task'),
    proposalId,
    taskId: derivedId('planted task', proposalId),
    agent,
    kinds: [kind],
    action,
    proposedAt: later(0),
    madeFrom: {},
  };
}

/** The data of a committed sample. */
export function sampleOf<T extends EventType>(name: string): DataOf<T> {
  const file = join(workspaceRoot, `libs/contracts/samples/${name}.json`);
  return (JSON.parse(readFileSync(file, 'utf8')) as { value: DataOf<T> }).value;
}

/** State is keyed by what it is of; the order of everything else does not matter here. */
function keyOf(data: object): string {
  const [key] = ['scope', 'version' in data ? 'contactId' : ''].flatMap((name) =>
    name in data ? [String((data as Record<string, unknown>)[name])] : [],
  );
  return key ?? randomUUID();
}
