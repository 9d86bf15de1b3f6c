import { type DataOf, profileKey, topics } from '@countersign/contracts';
import { type Batch, Consumes, causeOf } from '@countersign/runtime';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { endOf, type Reveal, reveal, type Sought, wrongKey } from '../core/reveal.js';
import { Store } from './profiles.repository.js';
import { RevealStore } from './reveals.repository.js';
import { Secrecy } from './secrecy.js';
import { SETTINGS, type Settings } from './settings.js';

/**
 * Answers a person who asks for a contact's name or address. The answer is sealed to the key of the request, so that only the person can
 * read it.
 */
@Controller()
export class Reveals {
  constructor(
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(Store) private readonly store: Store,
    @Inject(RevealStore) private readonly reveals: RevealStore,
    @Inject(Secrecy) private readonly secrecy: Secrecy,
  ) {}

  @Consumes(topics.revealsRequested)
  async onRequests(@Payload() batch: Batch<'RevealRequested'>): Promise<void> {
    const answered = await this.reveals.withinAnHour(batch.tx, batch.at);
    const sought = await this.find(
      batch,
      batch.events.map(({ event }) => event.data.contactId),
    );
    for (const received of batch.events) {
      const { data } = received.event;
      const { revealId, contactId } = data;
      const expiresAt = endOf(data, received.takenAt);
      const left = this.settings.revealsPerHour - answered.size;
      const found = reveal(data, sought(contactId), { at: batch.at, expiresAt, answered, left });
      const jwe = found.ok ? await this.secrecy.sealFor(data.publicKey, found.opened) : undefined;
      const cause = causeOf(received);
      batch.emit(cause, topics.revealsAnswered, {
        key: contactId,
        subject: revealId,
        data: { revealId, contactId, ...answer(found, jwe), at: batch.at },
      });
      if (jwe === undefined || expiresAt === undefined) continue;
      answered.add(revealId);
      this.reveals.insert(batch.tx, revealId, batch.at);
      batch.emit(cause, topics.revealsSealed, {
        key: contactId,
        subject: revealId,
        data: { revealId, jwe, expiresAt },
      });
    }
  }

  /** What is known about each contact, locked in the order in which signals lock it. */
  private async find(batch: Batch, contactIds: readonly string[]): Promise<(contactId: string) => Sought> {
    const profiles = await batch.ownState(topics.profiles, contactIds.map(profileKey.contact));
    const consents = await batch.ownState(topics.consents, contactIds);
    const points = await this.store.points(batch.tx, [...new Set(contactIds)]);
    return (contactId) => {
      const profile = profiles.get(profileKey.contact(contactId))?.data;
      return {
        points: points.get(contactId),
        joinedInto: profile?.kind === 'contact' ? profile.joinedInto : undefined,
        erased: consents.get(contactId)?.data?.suppressions.some(({ reason }) => reason === 'erased') ?? false,
      };
    };
  }
}

const answer = (
  found: Reveal,
  jwe: string | undefined,
): Pick<DataOf<'RevealAnswered'>, 'outcome' | 'fields' | 'reason'> =>
  found.ok && jwe !== undefined
    ? { outcome: 'sealed', fields: found.fields }
    : { outcome: 'refused', fields: [], reason: found.ok ? wrongKey : found.reason };
