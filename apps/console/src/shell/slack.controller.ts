import { decode, derivedId, topics } from '@countersign/contracts';
import { Documented, Public, Refused, RUNTIME, type Runtime } from '@countersign/runtime';
import { Controller, Headers, HttpCode, Inject, Logger, type OnModuleInit, Post, Req } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { scopesOf, underStop } from '../core/loss.js';
import { linkTo, slackLoss } from '../core/message.js';
import { SlackAnswer } from '../core/notification.answers.js';
import type { Person } from '../core/people.js';
import { problem } from '../core/problem.js';
import { fingerprint, review, reviewIdOf } from '../core/review.js';
import { isSigned, type Press, pressIn } from '../core/slack.js';
import { post } from './channels/web.js';
import { Store } from './console.repository.js';
import { ControlStore } from './controls.repository.js';
import { NOTIFYING, type Notifying } from './notifying.js';
import { SessionStore } from './sessions.repository.js';
import { PEOPLE, SETTINGS, type Settings } from './settings.js';

const path = '/v1/slack/actions';
const formType = 'application/x-www-form-urlencoded';
/** Far above the size of Slack's request for a message with ten cards. */
const mostBytes = 131_072;

type Answer = NonNullable<Press['answer']>;

/** A message for whoever pressed, with what Slack shows of it below the text. */
interface Shown {
  readonly text: string;
  readonly blocks?: readonly object[];
}
/** Why an answer was not given: for good, or until the person says that it is given all the same. */
type NotGiven = { readonly detail: string; readonly loss?: undefined } | { readonly loss: string };

/**
 * Handles answers from the buttons of a message in Slack. Slack signs its requests. The person is the one that notifications.yaml names
 * for the Slack user. The same rules as on the page apply: a reviewer of the card answers once, for the digest that the message showed.
 * The validator decides what takes effect, and for a checkpoint the orchestrator. An approval that a stop in force would take the effect of
 * needs a second press, below the text that says what is lost.
 */
@Controller()
export class SlackActions implements OnModuleInit {
  private readonly log = new Logger('slack');
  private readsForms = false;

  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(Store) private readonly store: Store,
    @Inject(ControlStore) private readonly controls: ControlStore,
    @Inject(SessionStore) private readonly sessions: SessionStore,
    @Inject(NOTIFYING) private readonly notifying: Notifying | undefined,
    @Inject(PEOPLE) private readonly people: readonly Person[],
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
  ) {}

  /** A form is read only here, as the bytes that were signed: any page on the web can make a browser send a form. */
  onModuleInit(): void {
    // Nest calls this once more when the handlers of topics are registered; the server has started by then.
    if (this.readsForms) return;
    this.readsForms = true;
    const adapter = this.host.httpAdapter as unknown as FastifyAdapter;
    const server = adapter.getInstance();
    // If Nest's own parser for forms is registered already, it accepts forms on every route.
    if (server.hasContentTypeParser(formType)) server.removeContentTypeParser(formType);
    adapter.useBodyParser(formType, false, { bodyLimit: mostBytes }, (request, body, done) => {
      if (request.url?.split('?')[0] === path) return done(null, body);
      done(Object.assign(new Error(`${formType} is not read here: send application/json`), { statusCode: 415 }), null);
    });
  }

  @Post('v1/slack/actions')
  @HttpCode(200)
  @Public()
  @Documented({
    summary: 'A press of a button in Slack, signed by Slack',
    description: 'A form with `payload`, as Slack posts it. The answer is what Slack shows to whoever pressed.',
    credentials: ['slack'],
    answers: { 200: SlackAnswer },
    problems: [400, 401, 415],
  })
  async press(
    @Headers('x-slack-request-timestamp') timestamp: string | undefined,
    @Headers('x-slack-signature') signature: string | undefined,
    @Req() { body }: { body: unknown },
  ) {
    const at = this.runtime.now();
    const bytes = body instanceof Uint8Array ? body : new Uint8Array();
    const channel = [...(this.notifying?.channels.values() ?? [])].find(
      (open) =>
        open.kind === 'slack' &&
        open.buttons &&
        open.signingSecret !== undefined &&
        isSigned(
          { secret: open.signingSecret, timestamp: timestamp ?? '', signature: signature ?? '', body: bytes },
          at,
        ),
    );
    if (channel?.kind !== 'slack')
      throw new Refused(
        problem(401, 'Not signed', 'this is not signed by Slack with a secret that is known here, or too old'),
      );
    const text = decode(Buffer.from(bytes));
    const press = text.ok ? pressIn(text.text) : undefined;
    if (!press) throw new Refused(problem(400, 'Not understood', 'this is no press of a button of ours'));
    const shown = press.answer ? await this.answer(press, press.answer) : undefined;
    if (shown !== undefined) await this.show(channel.hooks, press, shown);
    return { response_type: 'ephemeral', replace_original: false, text: shown?.text ?? '' };
  }

  /** Gives the answer, and returns what the person is shown of it. */
  private async answer(
    { user, press, sentAt }: Press,
    { subjectId, digest, decision, category, despiteStop }: Answer,
  ): Promise<Shown> {
    const link = linkTo(this.settings.publicUrl, `/reviews/${subjectId}`);
    const notDone = (detail: string): Shown => ({ text: `Nothing was done: ${detail}. The card: ${link}` });
    const name = this.notifying?.config.recipients.find(({ slackUser }) => slackUser === user)?.name;
    if (name === undefined)
      return notDone(
        'nobody here knows which person you are; your operator can write your Slack id into notifications.yaml',
      );
    const isReviewer = this.people.some(({ person, roles }) => person === name && roles.includes('reviewer'));
    if (!isReviewer) return notDone('you are no reviewer with a token of this console; answer on the page');
    if (decision === 'reject' && category === undefined)
      return notDone('a rejection says why, and this message is older than its choice; reject on the page');
    const known = await this.store.escalation(this.runtime.now(), subjectId);
    if (!known) return notDone('there is no such card');

    const reviewId = reviewIdOf(name, subjectId, `slack ${press}`);
    const request = { decision, digest, ...(category && { category }) };
    const { correlationId, traceparent } = known.escalation;
    // A press is used up, whatever its result: when it is sent again, it does nothing.
    const cause = { source: '/countersign/console', id: derivedId('slack', user, press), correlationid: correlationId };
    const done = await this.runtime.transact(
      cause,
      async (work): Promise<NotGiven | undefined> => {
        // A person who holds the device of a signed-out user has the messages on it too.
        if (await this.sessions.isSignedOutSince(work.tx, name, sentAt))
          return { detail: 'you were signed out after this message was sent; answer on the page' };
        const found = await this.store.lockEscalation(work.tx, work.at, subjectId);
        if (!found) return { detail: 'there is no such card' };
        // The names of other people stay on the page.
        if (!found.escalation.card.reviewers.includes(name)) return { detail: 'you are not among its reviewers' };
        if (found.standing !== 'open' && found.answer) return { detail: 'somebody answered it already' };
        const answer = review(
          request,
          found.escalation,
          found.standing,
          { person: name },
          reviewId,
          work.at,
          found.answer,
        );
        if (!answer.ok) return { detail: answer.problem.detail };
        if (decision === 'approve' && despiteStop === undefined) {
          const { card } = found.escalation;
          const held = underStop(card, await this.controls.stopsOf(scopesOf(card), work.tx));
          if (held) return { loss: held.loss };
        }
        await this.store.insertReview(work.tx, answer.decided, fingerprint(subjectId, request));
        work.emit(cause, topics.reviewsDecided, {
          key: found.escalation.key,
          subject: subjectId,
          data: answer.decided,
        });
        return undefined;
      },
      traceparent,
    );
    if (done.repeated) return notDone('this press of the button was used before');
    if (done.result?.loss !== undefined)
      return slackLoss(`Nothing was done yet: a stop is in force. ${done.result.loss}`, { subjectId, digest }, link);
    if (done.result !== undefined) return notDone(done.result.detail);
    const taken = decision === 'approve' ? 'approval' : 'rejection';
    const judge = known.escalation.subject.kind === 'checkpoint' ? 'orchestrator' : 'validator';
    return { text: `Your ${taken} was taken. The ${judge} says whether it takes effect: ${link}` };
  }

  /**
   * Shows it to the user who pressed. Slack does not show the answer to its request, so the text is posted to the address that
   * Slack gave, and to no other.
   */
  private async show(hooks: string, { responseUrl }: Press, words: Shown): Promise<void> {
    if (responseUrl === undefined || !URL.canParse(responseUrl) || new URL(responseUrl).origin !== hooks) return;
    try {
      const shown = { response_type: 'ephemeral', replace_original: false, ...words };
      await post(responseUrl, JSON.stringify(shown), () => undefined, {}, 2_000);
    } catch {
      this.log.warn('Slack did not take the words about a press of a button; the page of the card has them');
    }
  }
}
