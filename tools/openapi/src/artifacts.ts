import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openApiFile, sandboxPort, services } from '@countersign/contracts';
import type { ServiceSpec } from '@countersign/runtime';
import type { DynamicModule, Type } from '@nestjs/common';
import { type Credentials, type Described, documentOf, type Schemes } from './document.js';

export interface Artifact {
  readonly service: string;
  readonly file: string;
  readonly content: string;
}

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** The sources in a test, otherwise the build. No app has exports, so the modules are reached by path. */
const [folder, ending] = import.meta.url.endsWith('.ts') ? ['src', 'ts'] : ['dist', 'js'];

const bearer = (description: string): Schemes => ({ bearer: { type: 'http', scheme: 'bearer', description } });
const readingToken = bearer('The reading token of the installation');
/** The credentials that a service accepts; by default the reading token. */
const schemesOf: Readonly<Record<string, Schemes>> = {
  console: {
    ...bearer('The token of a person of the console'),
    session: {
      type: 'apiKey',
      in: 'cookie',
      name: 'countersign',
      description: 'The session of a browser. Behind TLS the cookie is called __Host-countersign',
    },
    csrfToken: {
      type: 'apiKey',
      in: 'header',
      name: 'X-CSRF-Token',
      description: 'The csrfToken that GET /v1/session answers; with a session whatever changes something needs it',
    },
    slackSignature: {
      type: 'apiKey',
      in: 'header',
      name: 'X-Slack-Signature',
      description: 'v0= and the HMAC-SHA256 of v0:timestamp:body with the signing secret of the channel',
    },
    slackTimestamp: {
      type: 'apiKey',
      in: 'header',
      name: 'X-Slack-Request-Timestamp',
      description: 'The time that was signed, in seconds; at most five minutes from the time of the console',
    },
  },
  'audit-recorder': bearer('The token of a person who may read the record'),
  'sandbox-systems': bearer('A token of the sandbox systems'),
  'signal-ingestion': {
    ...bearer('The API key of a source'),
    apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The API key of a source' },
  },
};

/** The schemes that belong together, if a credential is more than one scheme. */
const credentialsOf: Readonly<Record<string, Credentials>> = {
  console: {
    usual: ['bearer', 'session'],
    parts: {
      session: { toRead: ['session'], toChange: ['session', 'csrfToken'] },
      slack: { toRead: ['slackSignature', 'slackTimestamp'], toChange: ['slackSignature', 'slackTimestamp'] },
    },
  },
};

interface App {
  readonly module: Type | DynamicModule;
  readonly port: number;
}

async function appOf(service: string): Promise<App> {
  const exported: Record<string, unknown> = await import(join(root, 'apps', service, folder, `module.${ending}`));
  const [found] = Object.entries(exported).flatMap(([name, value]) =>
    name.endsWith('Module') ? [value as Type & { register?: (settings: object) => DynamicModule }] : [],
  );
  if (!found) throw new Error(`${service} exports no module`);
  if (found.register) return { module: found.register({}), port: sandboxPort };
  return { module: found, port: (exported.spec as ServiceSpec).port };
}

/** The services that have a document. */
export const documented: readonly string[] = [...services, 'sandbox-systems'];

/** The OpenAPI document of a service, as it is written. */
export async function artifactOf(service: string): Promise<Artifact> {
  const { module, port } = await appOf(service);
  const credentials = credentialsOf[service];
  const described: Described = {
    service,
    port,
    schemes: schemesOf[service] ?? readingToken,
    ...(credentials && { credentials }),
  };
  const document = await documentOf(module, described);
  return { service, file: fileURLToPath(openApiFile(service)), content: `${JSON.stringify(document, null, 2)}\n` };
}
