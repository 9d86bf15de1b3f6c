import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceRoot } from '@countersign/servers';
import { expect, test } from 'vitest';
import { plannedPorts, servicePlans, unknownVariables } from './services.js';

test('ports are those of the plans, or of the environment', () => {
  expect(plannedPorts({ CONSOLE_PORT: '' })).toEqual(servicePlans);
  const moved = plannedPorts({ CONSOLE_PORT: '9088' });
  expect(moved.find(({ name }) => name === 'console')?.port).toBe(9088);
});

test('every port that is none is named at once, and no value is quoted', () => {
  const read = () => plannedPorts({ CONSOLE_PORT: 'secret', ORCHESTRATOR_PORT: '1e3', SANDBOX_SYSTEMS_PORT: '65536' });
  expect(read).toThrow(
    /^CONSOLE_PORT, ORCHESTRATOR_PORT, SANDBOX_SYSTEMS_PORT: a port number from 1 to 65535 is expected$/,
  );
});

test('a variable under our own prefix that nothing reads is told of; each that is documented is read', () => {
  const page = readFileSync(join(workspaceRoot, 'docs/configuration.md'), 'utf8');
  const documented = [...new Set([...page.matchAll(/`(COUNTERSIGN_[A-Z_]+[A-Z])`/g)].map(([, name = '']) => name))];
  expect(documented.length).toBeGreaterThan(8);
  const env = Object.fromEntries([...documented, 'COUNTERSIGN_TOKN', 'TOKN'].map((name) => [name, '1']));
  expect(unknownVariables(env)).toEqual(['COUNTERSIGN_TOKN']);
});
