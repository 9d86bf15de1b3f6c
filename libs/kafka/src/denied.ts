/** The thing to which the broker refuses this principal a right. Undefined for any other error. */
export function deniedBy(error: unknown): 'topic' | 'group' | 'transaction' | 'cluster' | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    const { type } = each as { type?: unknown };
    if (typeof type === 'string' && Object.hasOwn(rights, type)) return rights[type as keyof typeof rights];
  }
  return undefined;
}

/** Errors of Kafka's protocol, as kafkajs names them. */
const rights = {
  TOPIC_AUTHORIZATION_FAILED: 'topic',
  GROUP_AUTHORIZATION_FAILED: 'group',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'transaction',
  CLUSTER_AUTHORIZATION_FAILED: 'cluster',
} as const;
