import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { folderNote } from './folder-note.js';

async function noteOf(status: number, body: string): Promise<{ note: string | undefined; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const running = { run: { http: { console: `http://127.0.0.1:${port}` } }, secrets: { consoleToken: 'lea-token' } };
  return { note: await folderNote(running as never), asked };
}
const check = (more: object) =>
  JSON.stringify({ valid: true, problems: [], inForce: 3, differs: false, differences: [], ...more });

test('a folder that differs is told with its files, and how to see and publish it', async () => {
  const differences = ['rules.yaml', 'rules.yaml', 'plays/new.yaml'].map((file) => ({ file }));
  const { note, asked } = await noteOf(200, check({ differs: true, differences }));
  expect(note).toContain('differs from policy 3, which stays in force: rules.yaml, plays/new.yaml.');
  expect(note).toContain('countersign policy diff');
  expect(note).toContain('countersign policy publish');
  expect(asked).toEqual(['POST /v1/policies/check Bearer lea-token']);
});

test('a folder that is not valid is told with the first problems', async () => {
  const problems = Array.from({ length: 7 }, (_, n) => ({
    file: 'rules.yaml',
    line: n + 1,
    field: 'f',
    detail: 'wrong',
  }));
  const { note } = await noteOf(200, check({ valid: false, problems }));
  expect(note?.split('\n')).toHaveLength(8);
  expect(note).toContain('  rules.yaml:1 f: wrong');
  expect(note).toContain('and 2 more');
});

test.each([
  ['says the same', 200, check({})],
  ['may not be asked', 403, check({ differs: true })],
  ['is no JSON', 200, 'no JSON'],
])('nothing is said where the folder %s', async (_, status, body) => {
  expect((await noteOf(status, body)).note).toBeUndefined();
});
