import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cacheDirectory, underLock } from './cache.js';

const run = promisify(execFile);
const settings = [
  '-XX:+UseSerialGC',
  '-Djava.awt.headless=true',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  // Logs what was denied, to whom. At this level, what was allowed is not logged.
  '-Dorg.slf4j.simpleLogger.log.kafka.authorizer.logger=info',
];
const quiet = ['-Xlog:cds=off', '-Xlog:cds+dynamic=off'];
const pom = fileURLToPath(new URL('../../../libs/servers/pom.xml', import.meta.url));
/** Comes before Kafka's jars on the class path: it limits compressed batches, see its source. */
export const boundsJar = fileURLToPath(new URL('../../../deploy/kafka/bounds/countersign-bounds.jar', import.meta.url));

/** How to run a class of Kafka's on this machine: `command [...jvm] <class> [arguments]`. */
export interface KafkaJvm {
  readonly command: string;
  readonly jvm: readonly string[];
}

/** The machine's Java, if it is 17 or later: its command and its full version text. `JAVA_HOME` has priority over the path. */
export async function findJava(): Promise<{ command: string; version: string } | undefined> {
  const command = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin/java') : 'java';
  try {
    const { stderr } = await run(command, ['-version']);
    const major = Number(/version "(\d+)/.exec(stderr)?.[1]);
    return major >= 17 ? { command, version: stderr } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether Kafka's jars are already here, or Maven can fetch them. */
export async function canGetJars(): Promise<boolean> {
  if (existsSync(jarsDirectory())) return true;
  return run('mvn', ['-version']).then(
    () => true,
    () => false,
  );
}

/**
 * Fetches the jars if they are not in the cache yet, and prepares a faster start of the JVM. Both happen once. `rehearse` must
 * start a broker and stop it cleanly.
 */
export async function kafkaJvm(
  java: { command: string; version: string },
  log: (line: string) => void,
  rehearse: (jvm: KafkaJvm) => Promise<void>,
): Promise<KafkaJvm> {
  const lib = jarsDirectory();
  const classes = `${lib}-${digest(java.version + lib + boundsJar + readFileSync(boundsJar, 'latin1'))}.jsa`;
  const plain = { command: java.command, jvm: [...settings, '-cp', [boundsJar, `${lib}/*`].join(delimiter)] };
  const fast = { ...plain, jvm: [`-XX:SharedArchiveFile=${classes}`, '-Xshare:auto', ...quiet, ...plain.jvm] };
  if (existsSync(lib) && existsSync(classes)) return fast;
  return underLock(`${lib}.lock`, async () => {
    if (!existsSync(lib)) {
      log('fetching the Kafka broker with Maven (once)');
      await fetchJars(lib);
    }
    if (!existsSync(classes)) {
      log('preparing the Kafka broker for fast starts (once)');
      await archiveClasses(classes, (extra) => rehearse({ ...plain, jvm: [...extra, ...plain.jvm] }));
    }
    return existsSync(classes) ? fast : plain;
  });
}

function jarsDirectory(): string {
  return join(cacheDirectory(), `kafka-${digest(readFileSync(pom, 'utf8'))}`);
}

/** Writes into a directory beside it, then renames it. So the directory is complete whenever it exists, even if this process is killed. */
async function fetchJars(lib: string): Promise<void> {
  const partial = `${lib}.${randomUUID()}`;
  mkdirSync(partial, { recursive: true });
  try {
    await run('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${partial}`], {
      maxBuffer: 64_000_000,
    });
    renameSync(partial, lib);
  } catch (error) {
    if (existsSync(lib)) return;
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    const errors = `${stdout}\n${stderr}`
      .split('\n')
      .filter((line) => line.startsWith('[ERROR]') || line.startsWith('Error'));
    throw new Error(
      ['Maven could not fetch the Kafka broker', ...(errors.length > 0 ? errors.slice(0, 5) : [String(error)])].join(
        '\n  ',
      ),
    );
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

/** Runs Kafka once and stores the classes that it loaded (class data sharing), which halves each later start. A failure does no harm. */
async function archiveClasses(file: string, rehearse: (extra: readonly string[]) => Promise<void>): Promise<void> {
  const partial = `${file}.${randomUUID()}`;
  try {
    await rehearse([`-XX:ArchiveClassesAtExit=${partial}`, ...quiet]);
    renameSync(partial, file);
  } catch {
    rmSync(partial, { force: true });
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
