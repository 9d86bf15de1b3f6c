/** What a scope covers, in words: "everything", "the agent paid-media-agent". */
export function scopeWords(scope: string): string {
  const colon = scope.indexOf(':');
  return colon < 0 ? 'everything' : `the ${scope.slice(0, colon)} ${scope.slice(colon + 1)}`;
}
