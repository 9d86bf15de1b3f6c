import { sourceOf } from './envelope.js';
import type { EventType } from './events.js';
import { ourAgents } from './installed.js';
import type { SourceConfig } from './policy.js';
import { type TopicOf, topics } from './topics.js';

/** The services, with the default port of each. Each service is a Kafka principal, a consumer group and a database role of its own. */
export const servicePorts = {
  'signal-ingestion': 8081,
  orchestrator: 8082,
  'paid-media-agent': 8083,
  'sequencing-agent': 8084,
  'guardrail-validator': 8085,
  'action-executor': 8086,
  'audit-recorder': 8087,
  console: 8088,
} as const satisfies Readonly<Record<string, number>>;
export type Service = keyof typeof servicePorts;
/** The port of the sandbox systems. They represent outside systems and are not a service. */
export const sandboxPort = 8089;
export const services: readonly Service[] = Object.keys(servicePorts) as Service[];

/** What an installation has in addition to the fixed services: the sources of signals, the agents and the executors. */
export interface Deployment {
  readonly sources: readonly Pick<SourceConfig, 'name' | 'via' | 'source' | 'sends' | 'identifies'>[];
  readonly agents: readonly string[];
  readonly executors: readonly string[];
}

/**
 * The shipped deployment, which applies if no configuration says otherwise. `upstream` and `downstream` are principals for clients
 * in any language.
 */
export const shippedDeployment: Deployment = {
  sources: [
    { name: 'website', via: 'http', source: '/sources/website' },
    { name: 'crm', via: 'http', source: '/sources/crm' },
    { name: 'mailer', via: 'http', source: '/sources/mailer' },
    { name: 'ads', via: 'http', source: '/sources/ads' },
    { name: 'upstream', via: 'kafka', source: '/sources/upstream' },
  ],
  agents: ourAgents,
  executors: ['action-executor', 'downstream'],
};

/** The services that an installation runs: all of them, except our agents and executors that it does not have. */
export function servicesOf({ agents, executors }: Pick<Deployment, 'agents' | 'executors'>): readonly Service[] {
  const optional = new Set([...shippedDeployment.agents, ...shippedDeployment.executors]);
  const has = new Set([...agents, ...executors]);
  return services.filter((name) => has.has(name) || !optional.has(name));
}

/** Whether a principal is one of our services, so that it does not run elsewhere. */
export const isService = (name: string): name is Service => (services as readonly string[]).includes(name);

export interface Topic {
  readonly name: string;
  /** The content of the record key. */
  readonly key: string;
  /** The one principal that may write. From it, readers know an event's author. */
  readonly writer: string;
  readonly readers: readonly string[];
  /** `log`: retained for a time. `state`: compacted, the last version of each key is valid. */
  readonly kind: 'log' | 'state';
  /** Empty: the canonical signals. */
  readonly types: readonly EventType[];
  readonly partitions: number;
  readonly retentionDays: number;
  /** The CloudEvents `source` of its events: exactly this one, or it followed by `/` and more. */
  readonly source: string;
  readonly detail: string;
}

/** How long a log is retained by default. */
export const logRetentionDays = 30;

/** Every topic of an installation: the only place that defines writer, readers, key, retention and compaction. */
export function topology(deployment: Deployment = shippedDeployment): readonly Topic[] {
  const { sources, agents, executors } = deployment;
  const all = servicesOf(deployment);
  /** The audit recorder reads every log, and the console all except the inbound signals. `alsoReadBy` lists the other readers. */
  const log = (
    { name, types }: TopicOf,
    writer: string,
    alsoReadBy: readonly string[],
    key: string,
    detail: string,
    more: Partial<Topic> = {},
  ): Topic => {
    // The console counts and lists every log. A topic that the console must not read sets `readers` itself.
    const always = name.includes('inbound') ? ['audit-recorder'] : ['audit-recorder', 'console'];
    return {
      name,
      key,
      writer,
      readers: [...new Set([...alsoReadBy, ...always])].sort(),
      kind: 'log',
      types,
      partitions: 4,
      retentionDays: logRetentionDays,
      source: sourceOf(writer),
      detail,
      ...more,
    };
  };
  const state = (
    topic: TopicOf,
    writer: string,
    alsoReadBy: readonly string[],
    key: string,
    detail: string,
    more: Partial<Topic> = {},
  ): Topic => ({
    ...log(topic, writer, [...alsoReadBy, writer], key, detail),
    kind: 'state',
    retentionDays: 0,
    ...more,
  });

  return [
    ...sources.map((s) =>
      log(
        topics.signalsInbound(s.name),
        s.via === 'http' ? 'signal-ingestion' : s.name,
        ['signal-ingestion'],
        "the upstream's",
        `Signals as ${s.name} published them.`,
        {
          source: s.source,
        },
      ),
    ),
    log(
      topics.signalsAccepted,
      'signal-ingestion',
      ['orchestrator'],
      'account, else contact',
      'Signals that passed, with quality and without identifiers.',
    ),
    log(
      topics.signalsRejected,
      'signal-ingestion',
      ['console'],
      'source',
      'Signals that did not pass, with the reason.',
      { partitions: 1 },
    ),
    state(
      topics.profiles,
      'signal-ingestion',
      ['orchestrator', ...agents, 'guardrail-validator'],
      'account:, contact: or ad-account: and its id; campaign: and the ids of its ad account and its own',
      'What is known of an account, a contact, an ad account or a campaign.',
    ),
    state(
      topics.consents,
      'signal-ingestion',
      ['guardrail-validator', ...executors],
      'contact',
      'What a contact agreed to, per purpose and channel.',
    ),
    {
      ...state(
        topics.contactPoints,
        'signal-ingestion',
        executors.filter(isService),
        'contact',
        'Names and addresses, sealed to the executors.',
      ),
      readers: [...executors.filter(isService), 'audit-recorder', 'signal-ingestion'].sort(),
    },
    log(
      topics.tasksAssigned,
      'orchestrator',
      [...agents, 'guardrail-validator'],
      'account, else ad account',
      'Work for an agent.',
    ),
    ...agents.map((agent) =>
      log(
        topics.tasksSettled(agent),
        agent,
        ['orchestrator'],
        'account, else ad account',
        `What became of the tasks of ${agent}: proposed, or declined with the reason.`,
      ),
    ),
    log(
      topics.tasksEscalated,
      'orchestrator',
      ['console'],
      'account, else ad account',
      "Tasks that wait at a play's checkpoint, how it ended if they never go out, and answers without effect.",
      { partitions: 1 },
    ),
    ...agents.map((agent) =>
      log(
        topics.actionsProposed(agent),
        agent,
        ['guardrail-validator'],
        'ad account, else account',
        `What ${agent} proposes.`,
      ),
    ),
    log(
      topics.actionsApproved,
      'guardrail-validator',
      // An agent that runs elsewhere needs no approvals, and with them it would read what the others do.
      [...executors, ...agents.filter(isService), 'orchestrator'],
      'as proposed',
      'Countersigned actions, each with a permit.',
    ),
    log(
      topics.actionsRefused,
      'guardrail-validator',
      [...agents, 'orchestrator'],
      'as proposed',
      'Refused actions, with every reason.',
    ),
    log(
      topics.actionsEscalated,
      'guardrail-validator',
      ['console'],
      'as proposed',
      'Actions that wait for a person, and answers that were set aside.',
    ),
    ...executors.map((executor) =>
      log(
        topics.actionsSettled(executor),
        executor,
        ['guardrail-validator', 'orchestrator', ...agents],
        'as proposed',
        `What became of the permits of ${executor}.`,
      ),
    ),
    log(
      topics.reviewsDecided,
      'console',
      ['guardrail-validator', 'orchestrator', ...agents],
      'as proposed',
      "People's answers.",
    ),
    log(
      topics.dryRunsAsked,
      'console',
      [],
      'proposal',
      'Proposals that wait, as they are or changed, before a person answers.',
      {
        partitions: 1,
        readers: ['audit-recorder', 'guardrail-validator'],
      },
    ),
    log(topics.dryRunsJudged, 'guardrail-validator', [], 'proposal', 'The verdicts that they would have had.', {
      partitions: 1,
      readers: ['audit-recorder', 'console'],
    }),
    log(
      topics.settlementsDecided,
      'console',
      executors,
      'as proposed',
      "People's word on permits that are unresolved.",
    ),
    state(topics.controls, 'console', [...all, ...executors], 'scope', 'Stops, and their lifting.', {
      partitions: 1,
    }),
    ...['guardrail-validator', ...executors].map((reader) =>
      log(
        topics.controlsConfirmed(reader),
        reader,
        ['console'],
        'scope',
        `Versions of controls that ${reader} goes by.`,
        { partitions: 1 },
      ),
    ),
    state(
      topics.policies,
      'console',
      ['orchestrator', ...agents, 'guardrail-validator', ...executors],
      'bundle',
      'Charters, plays, rules and routes in force.',
      { partitions: 1 },
    ),
    {
      ...log(
        topics.recordCheckpoints,
        'audit-recorder',
        ['console', ...executors],
        'log origin',
        'Signed heads of the record.',
        { partitions: 1, retentionDays: 365 },
      ),
      readers: ['console', ...executors].sort(),
    },
    ...all.map((service) =>
      log(
        topics.deadLetters(service),
        service,
        ['console'],
        'original key',
        `Events that ${service} could not handle or not read, and what came of people's orders about them.`,
        { partitions: 1, retentionDays: 90 },
      ),
    ),
    log(topics.deadLettersReplayed, 'console', all, 'dead letter', 'Orders to handle a dead letter again.', {
      partitions: 1,
    }),
    log(
      topics.gapsAcknowledged,
      'console',
      all,
      'service',
      "People's word that they know of records which a service can no longer read.",
      { partitions: 1 },
    ),
    log(topics.sessionsEnded, 'console', ['console'], 'person', 'People whom an operator signed out of the console.', {
      partitions: 1,
    }),
    log(
      topics.revealsRequested,
      'console',
      ['signal-ingestion'],
      'contact',
      'Who asks for the name or the address of a person, and why.',
      { partitions: 1 },
    ),
    log(
      topics.revealsAnswered,
      'signal-ingestion',
      ['console'],
      'contact',
      'What came of such requests, without what was revealed.',
      { partitions: 1 },
    ),
    log(
      topics.revealsSealed,
      'signal-ingestion',
      ['console'],
      'contact',
      'Names and addresses, each sealed to the one request that asked for it.',
      { partitions: 1, retentionDays: 1 },
    ),
    log(topics.recordPasses, 'console', [], 'pass', 'Who asks to read the whole record, and why.', { partitions: 1 }),
    log(topics.inspections, 'console', [], 'inspection', 'Audits and probes that people ran, and what they found.', {
      partitions: 1,
    }),
  ];
}

/** A topic of this installation by its name. Throws if there is none, because a misspelt topic is a bug. */
export function topicNamed(name: string, topics: readonly Topic[]): Topic {
  const found = topics.find((t) => t.name === name);
  if (!found) throw new Error(`no topic "${name}" in the topology`);
  return found;
}

/**
 * One ACL of the broker. The consumer groups of a service are its name, and every name that begins with its name and a dot, such as
 * the groups in which it reads state. A prefix without the dot would include the groups of every principal whose name begins with
 * this one. A principal from outside has ten groups and ten transactional ids, see `ownNames`. The broker holds the commits of each
 * group, and each transactional id, in its memory for days, so an unbounded number of them would end it. Our services use no
 * transactional ids, so they have none.
 */
export interface Acl {
  readonly principal: string;
  readonly resource: 'topic' | 'group' | 'transactional-id';
  readonly name: string;
  readonly pattern: 'literal' | 'prefixed';
  readonly operations: readonly ('read' | 'write' | 'describe' | 'describe-configs')[];
}

/** The consumer groups, and the transactional ids, of a principal from outside: its name, and its name with `.1` to `.9`. */
export const ownNames = (principal: string): readonly string[] => [
  principal,
  ...Array.from({ length: 9 }, (_, n) => `${principal}.${n + 1}`),
];

/** The principal of the audit at the broker. It reads everything that the recorder reads or writes, and writes nothing. */
export const auditPrincipal = 'auditor';

/** All principals that have a login at the broker, sorted. */
export const principalsOf = (topics: readonly Topic[]): readonly string[] =>
  [...new Set([auditPrincipal, ...topics.flatMap(({ writer, readers }) => [writer, ...readers])])].sort();

/**
 * The ACLs that the topology asks for, sorted, one per principal and resource. `read` and `write` include `describe`. The broker goes
 * through all the ACLs of a topic at each request, so none is there twice.
 */
export function acls(topics: readonly Topic[]): readonly Acl[] {
  const found: Acl[] = [];
  const principals = new Set<string>();
  for (const topic of topics) {
    for (const principal of new Set([topic.writer, ...topic.readers])) {
      principals.add(principal);
      const operations: Acl['operations'][number][] = [];
      // A service reads back what it published, if its database was restored from an older copy.
      const readsBack = topic.writer === principal && services.some((service) => service === principal);
      if (topic.readers.includes(principal) || readsBack) operations.push('read');
      if (topic.writer === principal) operations.push('write');
      operations.push('describe-configs');
      found.push({ principal, resource: 'topic', name: topic.name, pattern: 'literal', operations });
    }
  }
  for (const { name, writer, readers } of topics)
    if ([writer, ...readers].includes('audit-recorder'))
      found.push({
        principal: auditPrincipal,
        resource: 'topic',
        name,
        pattern: 'literal',
        operations: ['read', 'describe-configs'],
      });
  for (const principal of [...principals, auditPrincipal]) {
    const literal = { principal, pattern: 'literal' } as const;
    if (isService(principal) || principal === auditPrincipal) {
      found.push({ ...literal, resource: 'group', name: principal, operations: ['read'] });
      found.push({ ...literal, resource: 'group', name: `${principal}.`, pattern: 'prefixed', operations: ['read'] });
    } else {
      for (const name of ownNames(principal)) {
        found.push({ ...literal, resource: 'group', name, operations: ['read'] });
        found.push({ ...literal, resource: 'transactional-id', name, operations: ['write'] });
      }
    }
  }
  // It shows people whether each service runs: the broker knows the members of its group. Describing a group reads nothing in it.
  if (principals.has('console'))
    for (const name of [...principals].filter((principal) => isService(principal) && principal !== 'console'))
      found.push({ principal: 'console', resource: 'group', name, pattern: 'literal', operations: ['describe'] });
  return found.sort((a, b) =>
    `${a.principal} ${a.resource} ${a.name}`.localeCompare(`${b.principal} ${b.resource} ${b.name}`, 'en'),
  );
}

/**
 * What one principal may use of a broker: bytes a second, and percent of the time of one of its threads. Above it, the principal is
 * slowed down.
 */
export interface Quota {
  readonly principal: string;
  readonly producer_byte_rate: number;
  readonly consumer_byte_rate: number;
  readonly request_percentage: number;
}

/**
 * The quotas of all principals that are not services, sorted. They are far above what an honest one needs (200 signals a second are
 * 0.3 MB), and so low that none can take the broker from the services. Services have no quotas.
 */
export const quotas = (topics: readonly Topic[]): readonly Quota[] =>
  [...new Set(topics.flatMap(({ writer, readers }) => [writer, ...readers]))]
    .filter((principal) => !isService(principal))
    .sort()
    .map((principal) => ({
      principal,
      producer_byte_rate: 8_388_608,
      consumer_byte_rate: 16_777_216,
      request_percentage: 50,
    }));

/**
 * Broker settings of a topic. Compaction waits an hour, longer than a read-back or a reader's start takes. The broker stores a
 * batch as its writer compressed it. If it unpacked the batch, all of it would be on the broker's heap, whatever its size; readers
 * unpack within `unpackBounds`. The age of a record counts from when the broker accepted it. If its writer's time counted,
 * retention would delete an old signal before anybody reads it.
 */
export function topicConfig(topic: Topic): Record<string, string> {
  const common = { 'compression.type': 'producer', 'message.timestamp.type': 'LogAppendTime' };
  if (topic.kind === 'state')
    return { ...common, 'cleanup.policy': 'compact', 'min.compaction.lag.ms': String(3_600_000) };
  const retention = { 'cleanup.policy': 'delete', 'retention.ms': String(topic.retentionDays * 86_400_000) };
  // The broker deletes whole segments, and by default begins a new one after a week. That is too late for records that are retained
  // for a day.
  return { ...common, ...retention, ...(topic.retentionDays < 7 && { 'segment.ms': String(3_600_000) }) };
}
