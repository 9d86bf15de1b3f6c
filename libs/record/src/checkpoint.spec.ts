import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Checkpoint, formatCheckpoint, openCheckpoint, parseCheckpoint, signCheckpoint } from './checkpoint.js';
import { sha256 } from './merkle.js';
import { signingKey, signNote } from './note.js';

const origin = 'countersign.example/record';
const key = signingKey(origin, generateKeyPairSync('ed25519').privateKey);
const checkpoint: Checkpoint = { origin, size: 12, root: sha256() };

// The text of the example in C2SP tlog-checkpoint; it is published without its key.
const published = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';

describe('a checkpoint', () => {
  test('has the text of the standard', () => {
    const parsed = parseCheckpoint(published) as Checkpoint;
    expect(parsed).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20_852_163 });
    expect(formatCheckpoint(parsed)).toBe(published);
  });

  test('comes back from its signed note as it was', () => {
    const anyCheckpoint = fc.record({
      origin: fc.constant(origin),
      size: fc.maxSafeNat(),
      root: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    });
    const extensions = fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(
        fc.oneof(
          anyCheckpoint,
          fc.tuple(anyCheckpoint, extensions).map(([c, e]) => ({ ...c, extensions: e })),
        ),
        (value) => {
          const opened = openCheckpoint(signCheckpoint(value, [key]), { origin, keys: [key] });
          expect(opened).toEqual({ ok: true, checkpoint: value, signedBy: [origin] });
        },
      ),
    );
  });

  test('of another log is refused, even with a trusted signature', () => {
    const note = signCheckpoint({ ...checkpoint, origin: 'elsewhere.example' }, [key]);
    expect(openCheckpoint(note, { origin, keys: [key] })).toMatchObject({ ok: false, kind: 'wrong-origin' });
  });

  test('with an altered size is refused', () => {
    const note = signCheckpoint(checkpoint, [key]).replace('\n12\n', '\n11\n');
    expect(openCheckpoint(note, { origin, keys: [key] })).toMatchObject({ ok: false, kind: 'bad-signature' });
  });

  test('by another key of the same name is refused', () => {
    const other = signingKey(origin, generateKeyPairSync('ed25519').privateKey);
    const note = signCheckpoint(checkpoint, [other]);
    expect(openCheckpoint(note, { origin, keys: [key] })).toMatchObject({ ok: false, kind: 'unknown-key' });
  });

  test('opens with either key during a rotation', () => {
    const next = signingKey(origin, generateKeyPairSync('ed25519').privateKey);
    const note = signCheckpoint(checkpoint, [key, next]);
    for (const trusted of [key, next])
      expect(openCheckpoint(note, { origin, keys: [trusted] })).toMatchObject({ ok: true });
  });

  const root = Buffer.from(sha256()).toString('base64');
  test.each([
    ['no root', `${origin}\n12\n`],
    ['no origin', `\n12\n${root}\n`],
    ['a leading zero', `${origin}\n012\n${root}\n`],
    ['a sign', `${origin}\n+12\n${root}\n`],
    ['a size that no tree has', `${origin}\n9007199254740993\n${root}\n`],
    ['a root of 31 bytes', `${origin}\n12\n${Buffer.from(sha256().subarray(1)).toString('base64')}\n`],
    ['an empty extension line', `${origin}\n12\n${root}\n\n`],
  ])('with %s is malformed, even if signed', (_, text) => {
    expect(parseCheckpoint(text)).toBeUndefined();
    expect(openCheckpoint(signNote(text, [key]), { origin, keys: [key] })).toMatchObject({
      ok: false,
      kind: 'malformed',
    });
  });

  test('is not signed with a value that its text cannot hold', () => {
    const wrong: Partial<Checkpoint>[] = [
      { size: -1 },
      { size: 1.5 },
      { origin: 'two\nlines' },
      { root: sha256().subarray(1) },
      { extensions: ['two\nlines'] },
      { extensions: [''] },
    ];
    for (const part of wrong) expect(() => signCheckpoint({ ...checkpoint, ...part }, [key])).toThrow(TypeError);
  });
});
