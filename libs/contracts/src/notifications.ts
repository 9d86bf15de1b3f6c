import { z } from 'zod';
import { listOf } from './at-most.js';
import { type ConfigFile, type ConfigProblem, type Part, readPart } from './config-file.js';
import { Name } from './primitives.js';
import { TimeOfDay } from './quiet-hours.js';

/** The console's own file in the folder of the configuration. It is no part of the policy. */
export const notificationsFile = 'notifications.yaml';

/** The events of which people are notified. An operator sends `test` to see whether a channel works. */
export const notifyEvents = [
  'needs-review',
  'deadline-near',
  'stop',
  'alarm',
  'budget-nearly-spent',
  'acted-alone',
] as const;
export type NotifyEvent = (typeof notifyEvents)[number] | 'test';
export const alarms = ['dead-letter', 'unresolved', 'rejected-permit', 'not-confirmed', 'gap'] as const;
export type Alarm = (typeof alarms)[number];

/** The path of a file with a secret or an address: absolute, or from the folder of notifications.yaml. */
const SecretFile = z.string().min(1).max(500);
const TimeZone = z.string().max(60).refine(isTimeZone, 'an IANA time zone such as Europe/Berlin is expected');
const Minutes = z.int().min(0).max(10_080);
const Share = z.number().gt(0).lt(1);
const Base = z.url({ protocol: /^https?$/ }).max(300);

const NotifyChannel = z.discriminatedUnion('kind', [
  z.strictObject({
    name: Name,
    kind: z.literal('email'),
    host: z.string().min(1).max(253),
    port: z.int().min(1).max(65_535),
    /** starttls: TLS or nothing is sent. implicit: TLS from the first byte. none: for a server on this machine. */
    tls: z.enum(['starttls', 'implicit', 'none']),
    /** JSON: `{"user": …, "password": …}`. */
    loginFile: SecretFile.optional(),
    fromFile: SecretFile,
  }),
  z.strictObject({
    name: Name,
    kind: z.literal('slack'),
    /** An incoming webhook, or a bot token for `chat.postMessage`. */
    webhookFile: SecretFile.optional(),
    tokenFile: SecretFile.optional(),
    /** With it, and with `buttons`, a message has buttons to approve and to reject. */
    signingSecretFile: SecretFile.optional(),
    buttons: z.boolean().optional(),
    /** The address of Slack's API, for a proxy in between. */
    api: Base.optional(),
    hooks: Base.optional(),
  }),
  z.strictObject({ name: Name, kind: z.literal('teams'), webhookFile: SecretFile }),
  z.strictObject({ name: Name, kind: z.literal('webhook'), urlFile: SecretFile, secretFile: SecretFile }),
]);
export type NotifyChannel = z.infer<typeof NotifyChannel>;

const NotifyRecipient = z.strictObject({
  /** A person, by the name in charters and plays, or a room. */
  name: Name,
  timeZone: TimeZone,
  quietHours: z.strictObject({ from: TimeOfDay, to: TimeOfDay }).optional(),
  /** Slack's id of this person, to know who presses a button. */
  slackUser: z
    .string()
    .regex(/^[UW][A-Z0-9]{2,30}$/, "Slack's id of a person is expected, such as U024BE7LH")
    .optional(),
  addresses: listOf(
    z.strictObject({
      channel: Name,
      addressFile: SecretFile.optional(),
      /** A conversation of Slack, for a bot token; absent: the person's own. */
      conversation: z
        .string()
        .regex(/^[CDGUW][A-Z0-9]{2,30}$/, "Slack's id of a conversation is expected, such as C024BE91L")
        .optional(),
    }),
    20,
    1,
  ),
});
export type NotifyRecipient = z.infer<typeof NotifyRecipient>;

const common = {
  /** Names of recipients; `reviewers` and `owner` are those of the card. */
  to: listOf(Name, 50, 1),
  /** Channels; absent: every channel that a recipient has. */
  by: listOf(Name, 20, 1).optional(),
  /** A notification of the same kind within this time after a message waits, and is sent together with others. */
  digestMinutes: Minutes.optional(),
  /** Whether it is sent even in quiet hours. */
  urgent: z.boolean().optional(),
  /** Who is told next, unless it is over by then: what cannot be over, such as a rejected permit, is always told. */
  // biome-ignore lint/suspicious/noThenProperty: a word of the configuration, never awaited
  then: listOf(
    z.strictObject({
      afterMinutes: Minutes.min(1),
      to: listOf(Name, 50, 1),
      by: listOf(Name, 20, 1).optional(),
      /** Whether this step is sent even in quiet hours; absent: as the rule says. */
      urgent: z.boolean().optional(),
    }),
    10,
  ).optional(),
};
const NotifyRule = z.discriminatedUnion('event', [
  z.strictObject({ event: z.literal('needs-review'), ...common }),
  z.strictObject({
    event: z.literal('deadline-near'),
    ...common,
    minutesBefore: Minutes.min(1).optional(),
    /** The rest of the whole time to answer. */
    shareLeft: Share.optional(),
  }),
  z.strictObject({ event: z.literal('stop'), ...common }),
  z.strictObject({
    event: z.literal('alarm'),
    ...common,
    kinds: listOf(z.enum(alarms), alarms.length, 1).optional(),
    /** How long a control may be unconfirmed. */
    confirmSeconds: z.int().min(5).max(86_400).optional(),
  }),
  z.strictObject({ event: z.literal('budget-nearly-spent'), ...common, share: Share }),
  z.strictObject({ event: z.literal('acted-alone'), ...common }),
]);
export type NotifyRule = z.infer<typeof NotifyRule>;

const NotificationsFile = z.strictObject({
  channels: listOf(NotifyChannel, 20),
  recipients: listOf(NotifyRecipient, 200),
  tell: listOf(NotifyRule, 100),
});
export type Notifications = z.infer<typeof NotificationsFile>;

/** Names that represent the people of a card. */
export const notifyRoles: readonly string[] = ['reviewers', 'owner'];
/** Events that have such people. */
const withReviewers: readonly string[] = ['needs-review', 'deadline-near'];
const withOwner: readonly string[] = [...withReviewers, 'budget-nearly-spent', 'acted-alone'];

export type ReadNotifications =
  | { readonly ok: true; readonly part: Part<Notifications> }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Reads notifications.yaml. Every problem is reported with file, line and field, and what was expected. */
export function readNotifications(file: ConfigFile): ReadNotifications {
  const problems: ConfigProblem[] = [];
  const part = readPart(file, NotificationsFile as z.ZodType<Notifications>, problems);
  if (part) problems.push(...contradictions(part));
  return part && problems.length === 0 ? { ok: true, part } : { ok: false, problems };
}

/** A warning, not a fault: a review that would expire in somebody's quiet hours before a message is sent. */
export function remarksOn({ value, problem }: Part<Notifications>): ConfigProblem[] {
  const { recipients, tell: rules } = value;
  const isNotified = (event: string, name: string) =>
    rules.some(
      (rule) =>
        rule.event === event &&
        [rule, ...('then' in rule ? (rule.then ?? []) : [])].some(({ to }) =>
          to.some((n) => n === name || notifyRoles.includes(n)),
        ),
    );
  return recipients.flatMap(({ name, quietHours }, place) =>
    quietHours && isNotified('needs-review', name) && !isNotified('deadline-near', name)
      ? [
          problem(
            ['recipients', place, 'quietHours'],
            `a review that expires in the quiet hours of ${name} is not told of in time; a rule for deadline-near would pass`,
          ),
        ]
      : [],
  );
}

function contradictions(part: Part<Notifications>): ConfigProblem[] {
  const { channels, recipients, tell: rules } = part.value;
  const found: ConfigProblem[] = [];
  const complain = (path: (string | number)[], detail: string) => void found.push(part.problem(path, detail));
  const kinds = new Map(channels.map((channel) => [channel.name, channel]));
  const known = new Map(recipients.map((recipient) => [recipient.name, recipient]));
  const repeated = (names: readonly string[], list: string) => {
    for (const [place, name] of names.entries())
      if (names.indexOf(name) !== place) complain([list, place, 'name'], `"${name}" is there already`);
  };
  repeated(
    channels.map(({ name }) => name),
    'channels',
  );
  repeated(
    recipients.map(({ name }) => name),
    'recipients',
  );
  for (const [place, channel] of channels.entries()) {
    if (channel.kind !== 'slack') continue;
    if ((channel.webhookFile === undefined) === (channel.tokenFile === undefined))
      complain(['channels', place], 'either webhookFile or tokenFile is expected');
    if (channel.buttons === true && channel.signingSecretFile === undefined)
      complain(['channels', place, 'buttons'], 'buttons need signingSecretFile: nobody could tell who pressed them');
  }
  for (const [place, recipient] of recipients.entries()) {
    const { name, quietHours, addresses, slackUser } = recipient;
    const at = ['recipients', place];
    if (notifyRoles.includes(name))
      complain([...at, 'name'], `"${name}" stands for the people of a card; take another name`);
    if (quietHours && quietHours.from === quietHours.to)
      complain([...at, 'quietHours'], 'from and to are the same: no time would be left, or none be quiet');
    for (const [n, { channel: named, addressFile, conversation }] of addresses.entries()) {
      const where = [...at, 'addresses', n];
      const channel = kinds.get(named);
      if (!channel) complain([...where, 'channel'], `no channel is called "${named}"`);
      else if (channel.kind === 'email' && addressFile === undefined)
        complain([...where], 'addressFile is expected: a file with the e-mail address');
      else if (channel.kind !== 'email' && addressFile !== undefined)
        complain([...where, 'addressFile'], `a ${channel.kind} channel has its address in its own file`);
      if (channel?.kind === 'slack' && channel.tokenFile !== undefined && (conversation ?? slackUser) === undefined)
        complain([...where], 'conversation, or slackUser of this recipient, is expected');
      if (addresses.findIndex((other) => other.channel === named) !== n)
        complain([...where, 'channel'], `"${named}" is there already`);
    }
  }
  const users = recipients.map(({ slackUser }) => slackUser);
  for (const [place, user] of users.entries())
    if (user !== undefined && users.indexOf(user) !== place)
      complain(['recipients', place, 'slackUser'], 'another recipient is the same person of Slack');
  for (const [place, rule] of rules.entries()) {
    const steps = [
      { path: ['tell', place], step: rule },
      ...('then' in rule ? (rule.then ?? []) : []).map((step, n) => ({ path: ['tell', place, 'then', n], step })),
    ];
    for (const { path, step } of steps) {
      for (const [n, name] of step.to.entries()) {
        const fits = name === 'reviewers' ? withReviewers : withOwner;
        if (notifyRoles.includes(name) && !fits.includes(rule.event))
          complain([...path, 'to', n], `${rule.event} has no ${name}; name a recipient`);
        if (!notifyRoles.includes(name) && !known.has(name))
          complain([...path, 'to', n], `no recipient is called "${name}"`);
        const reached = known.get(name)?.addresses.some(({ channel }) => step.by?.includes(channel) ?? true);
        if (reached === false) complain([...path, 'to', n], `"${name}" has no address on ${step.by?.join(' or ')}`);
      }
      for (const [n, name] of (step.by ?? []).entries())
        if (!kinds.has(name)) complain([...path, 'by', n], `no channel is called "${name}"`);
    }
    if (rule.event === 'deadline-near' && (rule.minutesBefore === undefined) === (rule.shareLeft === undefined))
      complain(['tell', place], 'either minutesBefore or shareLeft is expected');
  }
  return found;
}

function isTimeZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch {
    return false;
  }
}
