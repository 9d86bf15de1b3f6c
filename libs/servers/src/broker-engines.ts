import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { heapOption } from './broker-limits.js';
import { clusterId } from './broker-properties.js';
import { claimContainer, containerName, hasDocker, removeContainer } from './docker.js';
import { boundsJar, canGetJars, findJava, type KafkaJvm, kafkaJvm } from './kafka-jars.js';

const run = promisify(execFile);
/** Its version is that of the jars in pom.xml. */
export const kafkaImage = 'apache/kafka:4.3.1';

/** One way of running Kafka: as a process of this machine, or in a container. */
export interface BrokerEngine {
  /** Where the broker itself sees its data. */
  readonly data: string;
  /** The address that its listeners bind. */
  readonly bind: string;
  /** Called before a start and after a kill: removes what remains after the recorded process was signalled. */
  clear(): Promise<void>;
  /** Formats the data directory, at the first start. */
  format(properties: string): Promise<void>;
  serve(properties: string, ports: BrokerPorts): { readonly command: string; readonly args: readonly string[] };
}

export interface BrokerPorts {
  readonly client: number;
  readonly controller: number;
}

/**
 * Java 17 with Maven, otherwise Docker. `rehearse` starts and stops a broker on an engine once, so that later starts are fast. If
 * there is neither, the error says what to install.
 */
export async function findBrokerEngine(
  dir: string,
  shortLived: boolean,
  log: (line: string) => void,
  rehearse: (engine: (dir: string) => BrokerEngine) => Promise<void>,
): Promise<BrokerEngine> {
  const java = await findJava();
  if (java && (await canGetJars())) {
    const jvm = await kafkaJvm(java, log, (plain) => rehearse((elsewhere) => javaEngine(plain, elsewhere, true)));
    return javaEngine(jvm, dir, shortLived);
  }
  if (await hasDocker()) return dockerEngine(dir);
  const missing = java
    ? 'Maven (mvn) is not on the path'
    : 'no Java 17 or later was found (java on the path, or JAVA_HOME)';
  throw new Error(
    `no Kafka broker can be started here: ${missing}, and no Docker engine answers. Install Java 17 and Maven, or Docker, or set KAFKA_BROKERS to a broker that runs`,
  );
}

function javaEngine({ command, jvm }: KafkaJvm, dir: string, shortLived: boolean): BrokerEngine {
  const data = join(dir, 'data');
  const marker = join(dir, 'formatted');
  return {
    data,
    bind: '127.0.0.1',
    clear: async () => undefined,
    async format(properties) {
      if (existsSync(marker)) return;
      // If formatting was killed before its end, its result is useless.
      rmSync(data, { recursive: true, force: true });
      mkdirSync(data, { recursive: true });
      const quick = ['-XX:TieredStopAtLevel=1', ...jvm];
      await run(command, [...quick, 'kafka.tools.StorageTool', 'format', '-t', clusterId(), '-c', properties], {
        maxBuffer: 16_000_000,
      });
      writeFileSync(marker, '');
    },
    serve: (properties) => ({
      command,
      args: [
        heapOption,
        '-XX:+ExitOnOutOfMemoryError',
        ...(shortLived ? ['-XX:TieredStopAtLevel=1'] : []),
        ...jvm,
        'kafka.Kafka',
        properties,
      ],
    }),
  };
}

function dockerEngine(dir: string): BrokerEngine {
  const name = containerName('kafka', dir);
  const inside = '/etc/countersign/server.properties';
  const bin = '/opt/kafka/bin';
  return {
    data: '/var/lib/kafka/data',
    bind: '0.0.0.0',
    clear: () => removeContainer('kafka', dir),
    format: () => claimContainer('kafka', dir),
    serve: (properties, { client, controller }) => ({
      command: 'docker',
      args: [
        ...['run', '--rm', '--name', name, '--user', '0:0', '--env', `KAFKA_HEAP_OPTS=${heapOption}`],
        ...['--publish', `127.0.0.1:${client}:${client}`, '--publish', `127.0.0.1:${controller}:${controller}`],
        ...['--volume', `${name}:/var/lib/kafka/data`, '--volume', `${properties}:${inside}:ro`],
        // These jars are sorted by name, so they come before Kafka's own.
        ...['--volume', `${boundsJar}:/opt/kafka/libs/0-bounds.jar:ro`],
        ...['--entrypoint', '/bin/sh', kafkaImage, '-c'],
        // Why without Snappy: pom.xml.
        `rm -f /opt/kafka/libs/snappy-java-*.jar && ${bin}/kafka-storage.sh format --ignore-formatted -t ${clusterId()} -c ${inside} && exec ${bin}/kafka-server-start.sh ${inside}`,
      ],
    }),
  };
}
