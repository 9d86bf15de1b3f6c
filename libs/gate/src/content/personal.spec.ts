import { expect, test, vi } from 'vitest';
import { fold } from './folded.js';
import { oursOf, personalIn } from './personal.js';

const ours = oursOf(['@example.com', 'press@partner.example', '+49 30 7654321']);
const found = (text: string): string[] => {
  const folded = fold(text);
  return [...personalIn(folded, ours)].map(({ start, end }) => text.slice(folded.from(start), folded.from(end)));
};

test.each([
  ['Write to Ann.Miller+x@elsewhere.example, please', ['Ann.Miller+x@elsewhere.example']],
  ['ann＠elsewhere.example', ['ann＠elsewhere.example']],
  ['mailto:ann@elsewhere.example?subject=x', ['ann@elsewhere.example']],
  ['jörg@bücher.example.', ['jörg@bücher.example']],
  ['https://social.example/?mail=ann%40elsewhere.example&x=1', ['ann%40elsewhere.example']],
  ['https://example.com/?mail=sales%40example.com', []],
  ['Call 030–123‑4567', ['030–123‑4567']],
  ['sales@example.com, Press@Partner.example', []],
  ['sales@example.com.evil.example', ['sales@example.com.evil.example']],
  ['@countersign, a@b and https://social.example/@ann', []],
  ['Call +49 (0)30 / 123 45-67 or 0049301234567', ['+49 (0)30 / 123 45-67', '0049301234567']],
  ['Call 030 1234567 or (415) 555-0132', ['030 1234567', '(415) 555-0132']],
  ['Call +49 30 7654321, our own', []],
  ['On 01.12.2026 at 10:00, 2026-11-21 10:00, 1,000,000 EUR, 12345678, 0.75 of 100', []],
  ['81DEEC63-ad73-5ba4-b5e1-e6fc7c761f1f', ['81DEEC63-ad73-5ba4-b5e1-e6fc7c761f1f']],
  ['order 0301234567890123456789', []],
])('%s', (text, expected) => expect(found(text)).toEqual(expected));

test('no text takes long', () => {
  for (const part of ['@', 'a', '0', '+4', '0-', 'a@', 'a.', '1 ', '81deec63-', '(0']) {
    const folded = fold(part.repeat(5000 / part.length));
    const before = performance.now();
    for (const _found of personalIn(folded, ours));
    expect(performance.now() - before, part).toBeLessThan(2000);
  }
});

test('an address is asked about once, and none after the marks that are asked for', () => {
  const folded = fold(Array.from({ length: 300 }, (_, i) => `a${i}@b.example`).join(' '));
  const address = vi.fn(() => false);
  const found = personalIn(folded, { address, telephone: () => false });
  for (let i = 0; i < 6; i++) found.next();
  expect(address).toHaveBeenCalledTimes(6);
  // However many domains are our own, an address is read once.
  const many = oursOf(Array.from({ length: 200 }, (_, i) => `@d${i}.example`));
  const normalize = vi.spyOn(String.prototype, 'normalize');
  expect(many.address('ann@b.example')).toBe(false);
  expect(normalize).toHaveBeenCalledTimes(1);
});
