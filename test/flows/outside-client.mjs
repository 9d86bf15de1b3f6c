#!/usr/bin/env node
// An outside system in one file: publishes a signal, then carries out what is countersigned for it. Nothing of Countersign's code
// is used: kafkajs speaks to the broker, run.json says where it is and each principal's own file how to log in, node:crypto checks signatures. Any language can do the same.
//
//   node outside-client.mjs <folder of run.json> [account] [contact reference] …
import { createHash, createPublicKey, randomUUID, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import kafkajs from 'kafkajs';

const [home = '.countersign', account = 'partner-gmbh', ...people] = process.argv.slice(2);
const run = JSON.parse(readFileSync(join(home, 'run.json'), 'utf8'));
const audience = 'downstream/crm';

const login = (principal) =>
  new kafkajs.Kafka({
    clientId: principal,
    brokers: run.kafka.bootstrap.split(','),
    sasl: {
      mechanism: run.kafka.mechanism,
      ...JSON.parse(readFileSync(join(home, `credentials/broker/${principal}.json`), 'utf8')),
    },
    logLevel: kafkajs.logLevel.ERROR,
  });

// 1. Read what downstream may read, from the beginning: approvals, and the state that a permit is compared with.
const downstream = login('downstream');
const state = { 'controls.v1': new Map(), 'consents.v1': new Map(), 'policies.v1': new Map() };
const consumer = downstream.consumer({ groupId: 'downstream.1' });
const approvals = [];
const read = new Map();
let wake = () => {};
const news = () =>
  new Promise((resolve) => {
    wake = resolve;
  });
await consumer.connect();
await consumer.subscribe({ topics: ['actions.approved.v1', ...Object.keys(state)], fromBeginning: true });
await consumer.run({
  // Nothing is committed, so each run reads all of it.
  autoCommit: false,
  eachMessage: async ({ topic, partition, message }) => {
    const data = message.value ? JSON.parse(message.value.toString()) : null;
    if (topic !== 'actions.approved.v1') {
      const key = message.key?.toString() ?? '';
      if (data && data.version > (state[topic].get(key)?.version ?? 0)) state[topic].set(key, data);
    } else if (data?.executor === 'downstream' && data.action.accountId === account) {
      approvals.push({ approved: data, key: message.key, cause: message.headers.ce_id.toString() });
    }
    read.set(`${topic}/${partition}`, message.offset);
    wake();
  },
});

// 2. Publish signals: CloudEvents, structured, to the one topic that upstream may write.
const upstream = login('upstream').producer();
await upstream.connect();
await upstream.send({
  topic: 'signals.inbound.upstream.v1',
  messages: (people.length > 0 ? people : [`crm:${account}-3`]).map((ref) => ({
    headers: { 'content-type': 'application/cloudevents+json' },
    value: JSON.stringify({
      specversion: '1.0',
      id: randomUUID(),
      source: '/sources/upstream',
      type: 'ContentEngaged',
      time: new Date().toISOString(),
      data: { account: { id: account }, contact: { ref }, contentId: 'comparison-guide', topic: 'comparison' },
    }),
  })),
});
await upstream.disconnect();

// 3. Wait for an approval, and check its permit.
while (approvals.length === 0) await news();
const { approved, key, cause } = approvals[0];
const fault = await faultOf(approved);

// 4. Carry it out here, once for each actionId, and say what became of it. A permit whose signature does not hold is never settled.
if (fault === undefined) {
  const settled = {
    permitId: approved.permitId,
    actionId: approved.actionId,
    proposalId: approved.proposalId,
    digest: approved.digest,
    executor: 'downstream',
    connector: 'crm',
    outcome: 'executed',
    externalReference: `ticket-${approved.actionId.slice(0, 8)}`,
    after: { title: approved.action.payload.title },
    at: new Date().toISOString(),
  };
  const producer = downstream.producer();
  await producer.connect();
  await producer.send({
    topic: 'actions.settled.downstream.v1',
    messages: [
      {
        key,
        headers: {
          ce_specversion: '1.0',
          ce_id: randomUUID(),
          ce_source: '/countersign/downstream',
          ce_type: 'ActionSettled',
          ce_time: settled.at,
          ce_causationid: cause,
          'content-type': 'application/json',
        },
        value: JSON.stringify(settled),
      },
    ],
  });
  await producer.disconnect();
}
await consumer.disconnect();
process.stdout.write(
  `${JSON.stringify({ permitId: approved.permitId, actionId: approved.actionId, fault: fault ?? null })}\n`,
);
process.exit(fault === undefined ? 0 : 1);

/** Why this permit does not allow this action here and now; undefined where it does. */
async function faultOf({ permit, permitId, actionId, action }) {
  const [head, body, signature] = permit.split('.');
  const header = JSON.parse(Buffer.from(head, 'base64url'));
  if (header.alg !== 'EdDSA' || header.typ !== 'countersign-permit+jwt') return 'no permit';
  const jwk = run.permitKeys.keys.find(({ kid }) => kid === header.kid);
  if (!jwk) return 'signed by nobody we know';
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
  if (!verify(null, Buffer.from(`${head}.${body}`), publicKey, Buffer.from(signature, 'base64url'))) return 'forged';

  const claims = JSON.parse(Buffer.from(body, 'base64url'));
  if (claims.aud !== audience) return `for ${claims.aud}`;
  if (claims.jti !== permitId || claims.sub !== actionId || action.actionId !== actionId) return 'for another action';
  if (createHash('sha256').update(canonical(action)).digest('hex') !== claims.digest) return 'altered';
  const now = Date.now() / 1000;
  if (now >= claims.exp) return 'expired';
  if (now < claims.nbf) return 'early: wait until nbf, then compare again';

  await caughtUp();
  for (const [epoch, version] of Object.entries(claims.epochs)) {
    const [kind, ...rest] = epoch.split(':');
    const known = state[kind === 'control' ? 'controls.v1' : 'consents.v1'].get(rest.join(':'));
    if ((known?.version ?? 0) !== version) return `${epoch} has changed`;
    if (known?.state === 'stopped') return `${epoch} is stopped`;
  }
  const parts = state['policies.v1'].get('main')?.parts ?? {};
  // A part that the policy does not have counts as null.
  const absent = createHash('sha256').update('null').digest('hex');
  const changed = Object.entries(claims.policy.parts).find(([part, digest]) => (parts[part] ?? absent) !== digest);
  return changed && `the policy's ${changed[0]} has changed`;
}

/** Waits until the state topics are read to their present end: older state must not decide. */
async function caughtUp() {
  const admin = downstream.admin();
  await admin.connect();
  for (const topic of Object.keys(state)) {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      while (low !== high && BigInt(read.get(`${topic}/${partition}`) ?? -1) < BigInt(high) - 1n) await news();
    }
  }
  await admin.disconnect();
}

/** RFC 8785: members sorted by UTF-16 code units; strings and numbers as JSON.stringify writes them. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
}
