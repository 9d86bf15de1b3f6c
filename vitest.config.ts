import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { memoryFolder } from './libs/testing/src/memory.ts';

// All temporary folders of the tests and of what they start. Who sets TMPDIR decides.
const memory = process.env.TMPDIR ? undefined : memoryFolder();
if (memory) process.env.TMPDIR = memory;

const shared = {
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  resolve: { conditions: ['development'] },
  ssr: { resolve: { conditions: ['development', 'node'] } },
};

/** What a kind of test may take, in one place: unit needs nothing, integration and flows start real services. */
const project = (name: string, include: string[], test: object = {}) => ({
  ...shared,
  // kafkajs 2.2.4 computes a negative time-out under Node 24; harmless, but printed.
  test: {
    name,
    include,
    environment: 'node' as const,
    execArgv: ['--disable-warning=TimeoutNegativeWarning'],
    ...test,
  },
});

/**
 * Files share a process, so zod, Nest and our libs are imported once and not once a file; that was most of the time. What a file
 * changes of the process, it puts back: the set-up fails it if not. Vitest leaves one processor free by default; none is needed.
 */
const light = {
  testTimeout: 60_000,
  hookTimeout: 60_000,
  isolate: false,
  maxWorkers: '100%',
  restoreMocks: true,
  unstubEnvs: true,
  unstubGlobals: true,
  setupFiles: [fileURLToPath(new URL('test/architecture/left-as-found.ts', import.meta.url))],
};

const real = { testTimeout: 120_000, hookTimeout: 180_000, fileParallelism: false, pool: 'forks' as const };

/** Files that leave something behind in the installation that the files of their project share run after the others. */
const last = ['test/browser/probe.spec.ts'];
const runsLast = ({ moduleId }: TestSpecification): boolean => last.some((file) => moduleId.endsWith(file));
class LastOfAll extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [...sorted.filter((file) => !runsLast(file)), ...sorted.filter(runsLast)];
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LastOfAll },
    silent: 'passed-only',
    projects: [
      // Thousands of cases take what a busy machine takes: the limit is there for what never ends.
      project('unit', ['**/src/**/*.spec.ts', '!**/*.int.spec.ts', '!**/node_modules/**', '!**/dist/**'], light),
      project('architecture', ['test/architecture/**/*.spec.ts'], light),
      project('corpus', ['test/corpus/**/*.spec.ts'], light),
      project(
        'integration',
        ['**/src/**/*.int.spec.ts', 'test/routes/**/*.spec.ts', '!**/node_modules/**', '!**/dist/**'],
        {
          ...real,
          fileParallelism: true,
          // Most of their time is waiting: for a broker that starts, a group that forms.
          maxWorkers: 3,
          // One broker and one Postgres for the whole run; each file makes its own databases and topics.
          globalSetup: [fileURLToPath(new URL('libs/testing/src/global-setup.ts', import.meta.url))],
        },
      ),
      project('flows', ['test/flows/**/*.spec.ts'], {
        ...real,
        testTimeout: 300_000,
        hookTimeout: 300_000,
        // One installation for the whole run, started when the first file asks for it.
        globalSetup: [fileURLToPath(new URL('test/flows/global-setup.ts', import.meta.url))],
      }),
      project('browser', ['test/browser/**/*.spec.ts'], {
        ...real,
        testTimeout: 120_000,
        hookTimeout: 300_000,
        // The preset is a second. On a busy machine a page takes longer until its data is there.
        expect: { poll: { timeout: 15_000 } },
        // An installation as shipped, with the sample played, in which people use the pages.
        globalSetup: [fileURLToPath(new URL('test/browser/global-setup.ts', import.meta.url))],
      }),
      // `npm run screenshots`; no part of npm test.
      project('screenshots', ['test/screenshots/**/*.spec.ts'], {
        ...real,
        hookTimeout: 300_000,
        globalSetup: [fileURLToPath(new URL('test/browser/global-setup.ts', import.meta.url))],
      }),
      // An installation of its own: what it exports goes to the test's own collector.
      project('traces', ['test/traces/**/*.spec.ts'], { ...real, testTimeout: 300_000, hookTimeout: 300_000 }),
      // Another one, since what is broken there is nobody else's.
      project('faults', ['test/faults/**/*.spec.ts'], { ...real, testTimeout: 300_000, hookTimeout: 300_000 }),
    ],
  },
});
