import { topics } from '@countersign/contracts';
import { type Batch, Consumes } from '@countersign/runtime';
import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { writeConsents, writeProfiles } from './people.writer.js';

/**
 * Stores what is known about people in the console's own tables, which it can search by account. The state that the runtime follows has
 * no such index. A version that comes again changes nothing, even if the runtime has forgotten that it came.
 */
@Controller()
export class PeopleHandlers {
  @Consumes(topics.profiles)
  async onProfiles(@Payload() { tx, events }: Batch<'ProfileChanged'>): Promise<void> {
    writeProfiles(
      tx,
      events.map(({ event }) => event.data),
    );
  }

  @Consumes(topics.consents)
  async onConsents(@Payload() { tx, events }: Batch<'ConsentsChanged'>): Promise<void> {
    writeConsents(
      tx,
      events.map(({ event }) => event.data),
    );
  }
}
