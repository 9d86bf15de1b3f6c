import type { Seen } from '../seen.js';
import { dayMinutes, engaged, type Signal, signalMaker } from '../signals.js';
import type { Broken, Setting, Story } from '../story.js';
import { cast, type World } from '../world.js';
import { accountNamed, contactAt } from './surges.js';

export function badSignalsStory({ seed, start }: Setting, world: World): Story {
  const account = accountNamed(world, cast.stale);
  const t = signalMaker(seed, 'bad-signals', start);
  const reader = contactAt(account, 0);

  const whole = engaged(t, reader, 'product', 30);
  const { contentId: _left, ...lacking } = engaged(t, reader, 'product', 31).data;
  // Refused over HTTP: nothing comes to a topic.
  const overHttp: readonly Broken[] = [
    { ...engaged(t, reader, 'product', 31), data: lacking },
    { ...engaged(t, reader, 'product', 32), type: 'ContentLiked' },
  ];
  // Written to the topic by a client of its own: rejected there, with the reason.
  const onTheTopic = [
    t.signal('upstream', 'PageViewed', 33, { contact: { ref: reader.ref }, url: 'https://example.com/' }),
  ];
  const malformed = onTheTopic.map((s): Broken => ({ ...s, data: { contact: {}, url: 'nowhere' } }));
  const ahead = t.signal('website', 'PageViewed', -2 * dayMinutes, {
    contact: { ref: reader.ref },
    url: 'https://example.com/',
  });
  // Three people of a tier-1 account compared, long ago: facts, and no play.
  const stale = [0, 1, 2].map((n) => engaged(t, contactAt(account, n), 'comparison', (40 + n) * dayMinutes));
  const twice = [whole, engaged(t, reader, 'security', 34), engaged(t, contactAt(account, 1), 'product', 35)];

  const refused = (seen: Seen) => overHttp.filter((b) => seen.refusedOverHttp(b.id) !== undefined).length;
  const rejections = (seen: Seen) => [...malformed, ahead].filter((s) => seen.rejected(s) !== undefined).length;
  const triggeredNothing = (seen: Seen) => stale.filter((s) => seen.accepted(s)?.triggers === false).length;
  const dropped = (seen: Seen) =>
    twice.filter((s) => {
      const times = seen.eventsOf('SignalAccepted').filter((a) => a.signalId === s.id && a.source === s.source).length;
      return times === 1 && seen.rejected(s) !== undefined;
    }).length;
  const started = (seen: Seen) => seen.tasks({ accountId: account.id }).length;

  return {
    id: 'bad-signals',
    title: 'Malformed, stale and duplicate signals start nothing',
    steps: [
      ...overHttp.map((event) => ({ do: 'offer', source: 'website', event }) as const),
      { do: 'publish', source: 'upstream', signals: malformed as unknown as readonly Signal[] },
      { do: 'publish', source: 'website', signals: [ahead, ...stale, ...twice] },
      { do: 'publish', source: 'website', signals: twice },
    ],
    outcome: (seen) =>
      refused(seen) === overHttp.length &&
      rejections(seen) === malformed.length + 1 &&
      triggeredNothing(seen) === stale.length &&
      dropped(seen) === twice.length &&
      started(seen) === 0,
    summary: (seen) => {
      const malformedCount = refused(seen) + malformed.filter((s) => seen.rejected(s) !== undefined).length;
      return `${malformedCount} malformed and ${seen.rejected(ahead) ? 'one future' : 'no future'} signal were turned away with the field that is wrong, ${dropped(seen)} duplicates were dropped, ${triggeredNothing(seen)} stale ones became facts and started ${started(seen) === 0 ? 'no play' : `${started(seen)} tasks`}`;
    },
  };
}
