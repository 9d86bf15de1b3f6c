import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatVerifierKey, openNote, parseVerifierKey, signingKey, signNote, verifierKey } from './note.js';

/** An Ed25519 private key out of its 32 secret bytes (RFC 8410). */
const privateKeyOf = (seed: Buffer) =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  });

// The example of golang.org/x/mod/sumdb/note, where the format comes from.
const neumann = {
  secret: Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1),
  key: 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  text: "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n",
  signature:
    '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n',
};
// The example of C2SP signed-note, "Verifier keys".
const c2sp = {
  key: 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
  note: 'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n',
};

const key = (name: string) => signingKey(name, generateKeyPairSync('ed25519').privateKey);
const [alice, bob] = [key('alice.example/log'), key('bob.example/log')];

describe('published notes', () => {
  test('are signed to the byte', () => {
    const signer = signingKey('PeterNeumann', privateKeyOf(neumann.secret));
    expect(formatVerifierKey(signer)).toBe(neumann.key);
    expect(signNote(neumann.text, [signer])).toBe(`${neumann.text}\n${neumann.signature}`);
  });

  test('are opened', () => {
    const keys = [neumann.key, c2sp.key].map(parseVerifierKey);
    expect(openNote(`${neumann.text}\n${neumann.signature}`, keys)).toEqual({
      ok: true,
      text: neumann.text,
      signedBy: ['PeterNeumann'],
    });
    expect(openNote(c2sp.note, keys)).toMatchObject({ ok: true, text: 'This is an example message.\n' });
  });
});

describe('a note', () => {
  test('opens with any text it can hold, with each of its keys', () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 10 }).filter((text) => !/\p{Cc}/u.test(text));
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 5 }), (lines) => {
        const text = `${lines.join('\n')}\n`;
        const note = signNote(text, [alice, bob]);
        expect(openNote(note, [alice])).toEqual({ ok: true, text, signedBy: [alice.name] });
        expect(openNote(note, [bob, alice])).toEqual({ ok: true, text, signedBy: [alice.name, bob.name] });
      }),
    );
  });

  test('is refused with any one character altered', () => {
    const note = signNote('origin\n12\nroot\n', [alice]);
    for (let at = 0; at < note.length; at += 1) {
      const other = note[at] === 'A' ? 'B' : 'A';
      expect(openNote(note.slice(0, at) + other + note.slice(at + 1), [alice])).toMatchObject({ ok: false });
    }
  });

  test('is refused where no key is known, or only one of the same name', () => {
    const note = signNote('text\n', [alice]);
    for (const keys of [[], [bob], [key(alice.name)]]) {
      expect(openNote(note, keys)).toMatchObject({ ok: false, kind: 'unknown-key' });
    }
  });

  test('is opened past signatures of unknown keys and kinds', () => {
    const [text, signature] = signNote('text\n', [alice]).split('\n\n') as [string, string];
    const unknown = `— elsewhere.example ${Buffer.alloc(3000, 7).toString('base64')}\n`;
    expect(openNote(`${text}\n\n${unknown}${signature}${unknown}`, [alice])).toMatchObject({
      ok: true,
      signedBy: [alice.name],
    });
  });

  test('is refused for one bad signature of a known key beside a good one', () => {
    const good = signNote('text\n', [alice]);
    const bad = signNote('other text\n', [bob]).split('\n\n')[1];
    expect(openNote(good + bad, [alice, bob])).toMatchObject({ ok: false, kind: 'bad-signature' });
    const short = `— ${bob.name} ${Buffer.from(`${bob.hash}00`, 'hex').toString('base64')}\n`;
    expect(openNote(good + short, [alice, bob])).toMatchObject({ ok: false, kind: 'bad-signature' });
  });

  test.each([
    ['nothing', ''],
    ['no signature', 'text\n'],
    ['no signature after the blank line', 'text\n\n'],
    ['no newline at the end', c2sp.note.slice(0, -1)],
    ['a hyphen for the dash', c2sp.note.replace('—', '-')],
    ['base64 without padding', c2sp.note.replace('aQM=', 'aQM')],
    ['a carriage return', c2sp.note.replace('.', '.\r')],
    ['a plus in a name', c2sp.note.replace('example.com/foo', 'example.com+foo')],
    ['a word too many', c2sp.note.replace('— ', '— two ')],
    ['a hundred and one signatures', c2sp.note + c2sp.note.split('\n\n')[1]?.repeat(100)],
  ])('with %s is malformed', (_, note) => {
    expect(openNote(note, [parseVerifierKey(c2sp.key)])).toMatchObject({ ok: false, kind: 'malformed' });
  });

  test('is not made of a text it cannot hold, or without a key', () => {
    for (const text of ['', 'no newline', 'tab\t\n', '\ud800\n'])
      expect(() => signNote(text, [alice])).toThrow(TypeError);
    expect(() => signNote('text\n', [])).toThrow(TypeError);
  });
});

describe('a verifier key', () => {
  test('survives being written and read', () => {
    expect(formatVerifierKey(parseVerifierKey(formatVerifierKey(alice)))).toBe(formatVerifierKey(alice));
  });

  test.each([
    ['another hash', c2sp.key.replace('530d903a', '530d903b')],
    ['another name', c2sp.key.replace('foo', 'bar')],
    ['another kind of signature', c2sp.key.replace('+Ae', '+Be')],
    ['a byte less', c2sp.key.slice(0, -4)],
    ['no name', c2sp.key.replace('example.com/foo', '')],
  ])('with %s is not read', (_, text) => {
    expect(() => parseVerifierKey(text)).toThrow(TypeError);
  });

  test('has a name without spaces and plus signs, and is of Ed25519', () => {
    for (const name of ['', 'a b', 'a+b', 'a\u2003b', 'a\nb'])
      expect(() => verifierKey(name, alice.publicKey)).toThrow(TypeError);
    expect(() => signingKey('log', generateKeyPairSync('x25519').privateKey)).toThrow(TypeError);
    expect(() => signingKey('log', alice.publicKey)).toThrow(TypeError);
  });
});
