import { afterAll, beforeAll, expect, test } from 'vitest';
import { shared, type Visitor, visit } from './installation.js';
import { company } from './signals.js';

/* A stop is obeyed by the gate for what is proposed from now on, and by the executor for what was approved before. */

let visitor: Visitor;
beforeAll(async () => {
  visitor = await visit(await shared());
});
afterAll(async () => {
  await visitor?.cli('resume', '--agent', 'sequencing-agent', '--reason', 'the test is over');
  await visitor?.leave();
});

const emails = (account: string) =>
  visitor.of('ActionApproved', (a) => a.action.accountId === account && a.action.kind === 'email.send');
const settled = (proposalId: string) => visitor.of('ActionSettled', (s) => s.proposalId === proposalId)[0];

test('a stop that comes between approval and sending: the executor refuses, naming the stop, and nothing is sent', async () => {
  const stopped = company('stopped-late');
  await visitor.accepted('crm', stopped.known());
  await visitor.accepted('website', stopped.compare());
  const approved = await visitor.until(
    'the first messages to be approved',
    () => emails(stopped.id).length >= 3 && emails(stopped.id),
  );
  const answer = await visitor.cli('stop', '--account', stopped.id, '--reason', 'a drill');
  expect(answer.code, answer.err).toBe(0);
  for (const { proposalId } of approved) {
    const end = await visitor.until(`the end of ${proposalId}`, () => settled(proposalId));
    expect(end.outcome).toBe('refused');
    expect(JSON.stringify(end.reason)).toContain(`account:${stopped.id}`);
  }
  expect(JSON.stringify(await visitor.sandbox('mailer/messages'))).not.toContain(approved[0]?.action.payload.contactId);
});

test('a stopped agent gets no permit, another one goes on, and a resume lets later proposals through', async () => {
  const stop = await visitor.cli('stop', '--agent', 'sequencing-agent', '--reason', 'a drill');
  expect(stop.code, stop.err).toBe(0);
  await visitor.until(
    'the stop to be published',
    () => visitor.of('ControlChanged', (c) => c.scope === 'agent:sequencing-agent' && c.state === 'stopped')[0],
  );
  expect((await visitor.cli('controls')).out).toContain('agent:sequencing-agent');

  const during = company('stopped-early');
  await visitor.accepted('crm', during.known());
  await visitor.accepted('website', during.compare());
  const refused = await visitor.until('its proposals to be refused', () => {
    const found = visitor.of('ActionRefused', (r) => r.action?.accountId === during.id);
    return found.length >= 3 && found;
  });
  for (const { verdict } of refused) {
    const stopReason = verdict.reasons.find((reason) => reason.rule === 'kill-control');
    expect(stopReason).toMatchObject({ outcome: 'refuse', says: expect.stringContaining('lea') });
  }
  expect(
    visitor.of('ActionApproved', (a) => a.action.accountId === during.id && a.agent === 'sequencing-agent'),
  ).toEqual([]);
  // The other agent was given a task by the same surge and is judged as ever.
  const other = await visitor.until(
    'the other agent to answer its task',
    () =>
      visitor.of(
        'TaskSettled',
        (t) =>
          t.agent === 'paid-media-agent' &&
          visitor.of('TaskAssigned', (a) => a.taskId === t.taskId)[0]?.accountId === during.id,
      )[0],
  );
  expect(other.outcome).toMatch(/proposed|declined/);

  const resume = await visitor.cli('resume', '--agent', 'sequencing-agent', '--reason', 'the drill is over');
  expect(resume.code, resume.err).toBe(0);
  const after = company('resumed');
  await visitor.accepted('crm', after.known());
  await visitor.accepted('website', after.compare());
  await visitor.until('a message to be executed after the resume', () =>
    emails(after.id)
      .map(({ proposalId }) => settled(proposalId))
      .find((s) => s?.outcome === 'executed'),
  );
});
