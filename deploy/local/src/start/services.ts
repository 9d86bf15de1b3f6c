import type { Service } from '@countersign/contracts';

/** Where a service listens and which secrets it is given: no service gets a key that it has no use for. */
export interface ServicePlan {
  readonly name: Service;
  readonly port: number;
  /** The variable that moves the port. */
  readonly portVariable: string;
  readonly secrets: readonly string[];
}

const plan = (name: Service, port: number, ...secrets: string[]): ServicePlan => ({
  name,
  port,
  portVariable: `${name.toUpperCase().replaceAll('-', '_')}_PORT`,
  secrets,
});

/** Every service in the order in which they are started: the console first, since it publishes the policy that others wait for. */
export const servicePlans: readonly ServicePlan[] = [
  plan('console', 8088, 'CONSOLE_TOKENS_FILE'),
  plan('signal-ingestion', 8081, 'API_KEYS_FILE', 'IDENTITY_KEY_FILE', 'CONTACT_POINTS_PUBLIC_KEY_FILE'),
  plan('orchestrator', 8082),
  plan('paid-media-agent', 8083),
  plan('sequencing-agent', 8084),
  plan('guardrail-validator', 8085, 'PERMIT_SIGNING_KEY_FILE'),
  plan('action-executor', 8086, 'PERMIT_VERIFY_KEYS_FILE', 'CONTACT_POINTS_PRIVATE_KEY_FILE'),
  plan('audit-recorder', 8087, 'CHECKPOINT_SIGNING_KEY_FILE', 'COMMITMENT_KEY_FILE', 'AUDIT_TOKENS_FILE'),
];

/** The plans with ports from the environment; `COUNTERSIGN_PORTS=free` takes any free port (tests). Throws naming the variable. */
export function plannedPorts(env: Readonly<Record<string, string | undefined>>): readonly ServicePlan[] {
  return servicePlans.map((p) => {
    const text = env[p.portVariable];
    if (text === undefined || text === '') return p;
    const port = Number(text);
    if (!Number.isInteger(port) || port < 1 || port > 65535)
      throw new Error(`${p.portVariable}: a port number is expected, not "${text}"`);
    return { ...p, port };
  });
}
