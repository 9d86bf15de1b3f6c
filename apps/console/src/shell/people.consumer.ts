import { topics } from '@countersign/contracts';
import { type Batch, Consumes } from '@countersign/runtime';
import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { writeConsents, writeProfiles } from './people.writer.js';

/**
 * Keeps what is known of people in tables of the console's own, which it can search by account. The state that the runtime follows has
 * no such index. A version that comes again, even after the runtime forgot that it came, changes nothing.
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
