/** What a module of settings has: the runtime's, or a service's `environment` with it. Apps export nothing, so they are read by their path. */
export interface SettingsModule {
  readonly environment?: Environment;
  readonly brokerVariables?: Environment['shape'];
  readonly processVariables?: Environment['shape'];
  readonly limitVariables?: Environment['shape'];
  readonly settingsTable?: (environment: Environment, but?: Environment['shape']) => string;
}

interface Environment {
  readonly shape: Readonly<Record<string, unknown>>;
}

/** The tables of `docs/configuration.md`, and the module that each shows. */
const modules: readonly (readonly [part: string, file: string])[] = [
  ['console', 'apps/console/src/shell/settings.ts'],
  ['signal-ingestion', 'apps/signal-ingestion/src/shell/settings.ts'],
  ['agents', 'libs/agent/src/shell/model-access.ts'],
  ['guardrail-validator', 'apps/guardrail-validator/src/shell/settings.ts'],
  ['action-executor', 'apps/action-executor/src/shell/settings.ts'],
  ['audit-recorder', 'apps/audit-recorder/src/shell/settings.ts'],
  ['sandbox-systems', 'apps/sandbox-systems/src/shell/settings.ts'],
];

/** The page with each of its tables as the schemas define it. Throws if the page has no place for a table. */
export async function settingsParts(page: string, load: (file: string) => Promise<SettingsModule>): Promise<string> {
  const {
    brokerVariables = {},
    processVariables = {},
    limitVariables = {},
  } = await load('libs/runtime/src/settings/runtime-environment.ts');
  const { settingsTable } = await load('libs/runtime/src/settings/environment.ts');
  if (!settingsTable) throw new Error('libs/runtime has no settingsTable');
  const shared = { ...brokerVariables, ...processVariables };
  const parts = new Map([
    ['every service', settingsTable({ shape: shared })],
    ['limits', settingsTable({ shape: limitVariables })],
  ]);
  for (const [part, file] of modules) {
    const { environment } = await load(file);
    if (!environment) throw new Error(`${file} exports no environment`);
    // The configuration is the console's in another way: it has to be set, since the console publishes it.
    const { CONFIG_DIR: _, ...but } = { ...shared, ...limitVariables } as Record<string, unknown>;
    const own = part === 'console' ? but : { ...but, CONFIG_DIR: _ };
    parts.set(part, settingsTable(environment, own));
  }
  let text = page;
  for (const [part, table] of parts) text = withPart(text, part, table);
  return text;
}

function withPart(text: string, part: string, content: string): string {
  const [begin, end] = [`<!-- generated: ${part} -->`, `<!-- end: ${part} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/configuration.md has no part "${part}" between ${begin} and ${end}`);
  return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`;
}
