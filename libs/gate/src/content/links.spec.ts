import type { PlacedText } from '@countersign/contracts';
import { describe, expect, test, vi } from 'vitest';
import { hostsOf } from './hosts.js';
import { type Link, linksIn } from './links.js';

const text = (words: string): PlacedText => ({ place: 'payload.body', text: words, role: 'text' });
const target = (url: string): PlacedText => ({ place: 'payload.url', text: url, role: 'link' });

describe('the links of a text are found as mail programs find them', () => {
  test.each([
    ['see https://example.com/a?b=c#d.', ['https://example.com/a?b=c#d']],
    ['(see https://example.com), please', ['https://example.com']],
    ['[our page](https://example.com/a)', ['https://example.com/a']],
    ['<a href="https://example.com/a">here</a>', ['https://example.com/a']],
    ["<a href='//example.com/a'>here</a>", ['//example.com/a']],
    ['<a href="//example.com/a">here</a>', ['//example.com/a']],
    ['HTTPS://EXAMPLE.COM/A', ['HTTPS://EXAMPLE.COM/A']],
    [String.raw`https:\\example.com\a and http:example.com`, [String.raw`https:\\example.com\a`, 'http:example.com']],
    ['www.example.com or example.com or example.de/a', ['www.example.com', 'example.com', 'example.de/a']],
    ['at münchen.example/a and пример.рф', ['münchen.example/a', 'пример.рф']],
    ['mailto:sales@example.com', ['mailto:sales@example.com']],
    ['sales@example.com is an address', []],
    ['{{account.name}}.com', ['{{account.name}}.com']],
    ['Hello {{account.name}}. Hello {{contact.firstName}}, z.B. at 10.30 a.m. for 3.50 EUR, Node.js, e.g. so', []],
    ['Hotel: Adlon. Metadata: none. Ratio 1:2, on 01.12.2026', []],
    ['10.0.0.1/admin', ['10.0.0.1/admin']],
    ['javascript:alert(1)', ['javascript:alert(1']],
    ['[https://example.com](https://example.org)', ['https://example.com', 'https://example.org']],
    [
      'https://example.com/|https://example.org,example.net',
      ['https://example.com/', 'https://example.org', 'example.net'],
    ],
    [
      'https://example.com/?to=https://example.org',
      ['https://example.com/?to=https://example.org', 'https://example.org'],
    ],
    ['https://example.com(@example.org/', ['https://example.com', 'https://example.com(@example.org/', 'example.org/']],
    ['see:example.org, our page=example.net!', ['example.org', 'example.net']],
    [
      '(example.org) [example.net] «example.com» –example.de… #example.fr',
      ['example.org', 'example.net', 'example.com', 'example.de', 'example.fr'],
    ],
    ['at example.org:8443/a or example.org:see', ['example.org:8443/a', 'example.org']],
    ['example.com:example.org and either/example.net', ['example.com', 'example.org', 'example.net']],
    ['example.org→https://example.com', ['example.org', 'https://example.com']],
    ['...example.org and _example.net_ or example.com./a', ['example.org', 'example.net', 'example.com./a']],
    ['href=//host.example/a', ['//host.example/a']],
    ['ann@example.org, ann@example.org:25 and example.com@example.org', []],
    ['ann@example.org/sign-in', ['example.org/sign-in']],
    ['{{https://example.org/a}} and {{example.net}}', ['https://example.org/a', 'example.net']],
    ['{{account.name}} and {{contact.nickname}}', []],
  ])('%s', (words, found) => {
    expect([...linksIn(text(words))].map(({ start, end }) => words.slice(start, end))).toEqual(found);
  });

  test('a text that is a link is one link', () => {
    expect([...linksIn(target('https://example.com./a b'))]).toMatchObject([{ start: 0, end: 24 }]);
    expect([...linksIn(target('no link'))]).toMatchObject([{ url: undefined }]);
  });

  test('a text of one kind of character takes no longer than its length', () => {
    for (const character of [')', '.', '(', '{', '}', ':', '/', 'a', '@', '0', '-'])
      for (const words of [character.repeat(5000), `${character.repeat(4999)}x`, `${`${character}a`.repeat(2500)}`]) {
        const before = performance.now();
        for (const _link of linksIn(text(words)));
        expect(performance.now() - before, `${character} ${words.length}`).toBeLessThan(2000);
      }
  });
});

describe('[case 30] hosts are compared as browsers parse them', () => {
  const allowed = ['example.com', '*.example.com', 'bücher.example', 'service.example:8443', '192.0.2.7'];
  const against = (url: string): string | undefined => {
    const [link] = linksIn(target(url));
    return link && hostsOf(allowed).against(link);
  };

  test.each([
    'https://example.com/a',
    'http://EXAMPLE.com',
    'https://example.com:443/',
    'https://www.example.com',
    'https://a.b.example.com',
    'https://bücher.example/',
    'https://xn--bcher-kva.example/',
    'https://B%C3%BCcher.example/',
    'https://service.example:8443/',
    'https://192.0.2.7/',
    'https://0300.0.02.07/',
    'https://ｅｘａｍｐｌｅ。com/',
    'https://exam\u00adple.com/',
    'mailto:sales@example.com',
    'mailto:sales@example.com,press@www.example.com;?cc=Sales%20%3Csales%40example.com%3E&subject=b%40evil.example',
  ])('%s is allowed', (url) => expect(against(url)).toBeUndefined());

  test.each([
    ['https://evil.example/', 'the link goes to evil.example, which is not allowed: link to'],
    [
      'https://example.com@evil.example/',
      'what stands before the @ of the link is a name, and the link goes to evil.example',
    ],
    [
      'https://user:secret@example.com/',
      'what stands before the @ of the link is a name, and the link goes to example.com',
    ],
    ['https://example.com:8443/', 'port 8443 of example.com is not allowed'],
    ['https://service.example/', 'service.example, which is not allowed, although it is with port 8443'],
    ['https://example.com./', 'the host example.com. ends in a dot: write example.com'],
    ['https://www.bücher.example/', 'which is not allowed, although bücher.example is'],
    ['https://example.com.evil.example/', 'and only contains example.com'],
    ['https://notexample.com/', 'and only contains example.com'],
    ['https://examp1e.com/', 'and looks like example.com'],
    ['https://exarnple.com/', 'and looks like example.com'],
    ['https://exampel.com/', 'and is spelt almost like example.com'],
    [
      'https://еxample.com/',
      'the link goes to xn--xample-2of.com (shown as еxample.com), which is not allowed and looks like example.com',
    ],
    ['https://xn--xample-2of.com/', '(shown as еxample.com), which is not allowed and looks like example.com'],
    ['https://203.0.113.9/', 'the link goes to the IP address 203.0.113.9'],
    ['https://3405803785/', 'the link goes to the IP address 203.0.113.9'],
    ['https://0xcb.0.0x71.9/', 'the link goes to the IP address 203.0.113.9'],
    ['https://[2001:db8::1]/', 'the link goes to the IP address [2001:db8::1]'],
    ['https://{{account.name}}.example.com/', 'the host of the link has a placeholder'],
    ['ftp://example.com/', 'a link with ftp: is not allowed'],
    ['javascript:alert(1)', 'a link with javascript: is not allowed'],
    ['mailto:somebody@evil.example', 'the link writes a message to evil.example, which is not allowed'],
    ['mailto:a@example.com,b@evil.example', 'the link writes a message to evil.example, which is not allowed'],
    ['mailto:b@evil.example,a@example.com', 'the link writes a message to evil.example, which is not allowed'],
    ['mailto:b@evil.example;a@example.com', 'the link writes a message to evil.example, which is not allowed'],
    ['mailto:b%40evil.example%2Ca@example.com', 'the link writes a message to evil.example, which is not allowed'],
    ['mailto:a@example.com?BCC=b%40evil.example', 'the link writes a message to evil.example, which is not allowed'],
    ['mailto:?to=b@evil.example', 'the link writes a message to evil.example, which is not allowed'],
    ['mailto:b@evil.example|@example.com', 'the link writes a message to an address that cannot be read'],
    ["mailto:b@evil.example'.example.com", 'the link writes a message to an address that cannot be read'],
    ['mailto://b@evil.example?cc=a@example.com', 'the link writes a message to an address that cannot be read'],
    ['mailto://b@evil.example/a@example.com', 'the link writes a message to an address that cannot be read'],
    ['mailto:?subject=a', 'the link writes a message to an address that cannot be read'],
    ['https://example.com%40evil.example/', 'the link cannot be read as an address'],
    [
      'https:example.com%2F@evil.example/',
      'what stands before the @ of the link is a name, and the link goes to evil.example',
    ],
    ['https://exa mple.com/', 'the link cannot be read as an address'],
  ])('%s is not', (url, detail) => expect(against(url)).toContain(detail));

  test('an entry with a star is for subdomains only', () => {
    const only = hostsOf(['*.example.com']);
    const detail = (url: string) => [...linksIn(target(url))].map((link) => only.against(link))[0];
    expect(detail('https://www.example.com')).toBeUndefined();
    expect(detail('https://example.com')).toContain('example.com, which is not allowed, although its subdomains are');
  });

  test('where no host is allowed, a link is to be left out', () => {
    const [link] = linksIn(target('https://example.com'));
    expect(link && hostsOf([]).against(link)).toBe(
      'the link goes to example.com, which is not allowed: no link is allowed: write it without',
    );
  });
});

test('no more of a text is read than the marks that are asked for need, and a host is compared once', () => {
  const words = Array.from({ length: 400 }, (_, i) => `https://h${i}.org/a`).join(' ');
  const hosts = hostsOf(['example.com']);
  const parse = vi.spyOn(URL, 'parse');
  const links = linksIn(text(words));
  for (let i = 0; i < 6; i++) expect(hosts.against(links.next().value as Link)).toContain('is not allowed');
  expect(parse.mock.calls.length).toBeLessThanOrEqual(6);
  // Two readings of the same address are one comparison: its words are made once.
  const [first, again] = [...linksIn(text('https://h.org/a https://h.org/b'))];
  const normalize = vi.spyOn(String.prototype, 'normalize');
  const fault = first && hosts.against(first);
  normalize.mockClear();
  expect(again && hosts.against(again)).toBe(fault);
  expect(normalize).not.toHaveBeenCalled();
});
