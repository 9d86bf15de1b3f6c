import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import {
  derivedId,
  type OpenedContactPoints,
  type OpenedReveal,
  type RevealKey,
  readAddress,
} from '@countersign/contracts';
import { Inject, Injectable } from '@nestjs/common';
import { CompactEncrypt, importJWK } from 'jose';
import type { Points } from '../core/contact-points.js';
import type { Signal } from '../core/signal.js';
import { SETTINGS, type Settings } from './settings.js';

/** Keeps persons unreadable: in the tables here, on the topics, and in the keys of records. */
@Injectable()
export class Secrecy {
  private readonly sealingKey: Buffer;
  private readonly contactsKey: Buffer;
  private readonly executorsKey: ReturnType<typeof importJWK>;

  constructor(@Inject(SETTINGS) private readonly settings: Settings) {
    this.sealingKey = Buffer.from(hkdfSync('sha256', settings.identityKey, '', 'contact points at rest', 32));
    this.contactsKey = Buffer.from(hkdfSync('sha256', settings.identityKey, '', 'contact ids', 32));
    this.executorsKey = importJWK(settings.contactPointsKey, 'ECDH-ES');
    this.executorsKey.catch(() => undefined);
  }

  /**
   * The identities by which a signal names a person, the upstream's reference first. They are keyed hashes, so that neither a reference
   * nor an address can be read or guessed from a table or a record's key. An address that could not be read gives no identity.
   */
  identitiesOf(signal: Pick<Signal, 'data'>): readonly string[] {
    const contact = 'contact' in signal.data ? signal.data.contact : undefined;
    const identities: string[] = [];
    if (contact?.ref) identities.push(this.identity('ref', contact.ref));
    const address = contact?.email === undefined ? undefined : readAddress(contact.email);
    if (address) identities.push(this.identity('email', address.identity));
    return identities;
  }

  /**
   * The id of a new contact with these identities: a keyed hash of the last identity, which is the address if there is one. A table that
   * lost its persons gives them the same ids again, so that their withdrawals still apply.
   */
  contactIdOf(identities: readonly string[]): string {
    const hash = createHmac('sha256', this.contactsKey).update(identities.at(-1) ?? '');
    return derivedId('contact', hash.digest('hex'));
  }

  /** AES-256-GCM under a key that only this service has: later signals are merged into the stored fields. */
  encrypt(contactId: string, fields: Points['fields']): Buffer {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.sealingKey, nonce).setAAD(Buffer.from(contactId));
    return Buffer.concat([nonce, cipher.update(JSON.stringify(fields)), cipher.final(), cipher.getAuthTag()]);
  }

  decrypt(contactId: string, sealed: Buffer): Points['fields'] {
    const decipher = createDecipheriv('aes-256-gcm', this.sealingKey, sealed.subarray(0, 12))
      .setAAD(Buffer.from(contactId))
      .setAuthTag(sealed.subarray(-16));
    return JSON.parse(Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]).toString());
  }

  /** A compact JWE (ECDH-ES over X25519, A256GCM) that only the executors can open. */
  async seal(points: OpenedContactPoints): Promise<string> {
    const { kid } = this.settings.contactPointsKey;
    return new CompactEncrypt(Buffer.from(JSON.stringify(points)))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', ...(typeof kid === 'string' && { kid }) })
      .encrypt(await this.executorsKey);
  }

  /** The same for the key of one request (P-256). Undefined if the key is no point on the curve. */
  async sealFor(publicKey: RevealKey, opened: OpenedReveal): Promise<string | undefined> {
    const key = await importJWK(publicKey, 'ECDH-ES').catch(() => undefined);
    if (key === undefined) return undefined;
    return new CompactEncrypt(Buffer.from(JSON.stringify(opened)))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
      .encrypt(key);
  }

  private identity(kind: 'ref' | 'email', value: string): string {
    return `${kind}:${createHmac('sha256', this.settings.identityKey).update(`${kind}:${value}`).digest('hex')}`;
  }
}
