const services: Readonly<Record<string, string>> = {
  'signal-ingestion': 'the intake of signals',
  orchestrator: 'the plays',
  'guardrail-validator': 'the guardrails',
  'action-executor': 'the executor',
  'audit-recorder': 'the record',
  console: 'the console',
};

/** A service in plain words: "the guardrails". An agent and a service from elsewhere have only their names. */
export const serviceWords = (name: string): string =>
  Object.hasOwn(services, name) ? (services[name] as string) : name;
