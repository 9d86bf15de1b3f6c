import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/** The order in which a dead parent's children are ended: services first, so that they can still reach broker and database. */
export type Rank = 'service' | 'engine';

/*
 * A shell that reads from a pipe which only this process holds. The pipe closes however this process ends, even by kill -9. Then
 * the shell asks every process that is still on its list to end, and after ten seconds kills those that still run.
 */
const script = `
service= engine=
without() { kept=; for e in $1; do [ "$e" = "$2" ] || kept="$kept $e"; done; }
alive() { for e in $1; do kill -0 "\${e#*:}" 2>/dev/null && return 0; done; return 1; }
end() {
  for e in $1; do kill -"\${e%%:*}" "\${e#*:}" 2>/dev/null; done
  n=0; while alive "$1" && [ $n -lt 100 ]; do sleep 0.1; n=$((n+1)); done
  for e in $1; do kill -KILL "\${e#*:}" 2>/dev/null; done
}
while read -r verb rank entry; do
  case "$verb-$rank" in
    add-service) service="$service $entry" ;;
    add-engine) engine="$engine $entry" ;;
    drop-service) without "$service" "$entry"; service=$kept ;;
    drop-engine) without "$engine" "$entry"; engine=$kept ;;
  esac
done
end "$service"
end "$engine"
`;

let shell: ChildProcess | undefined;

/**
 * Ensures that a child does not outlive this process, even if this process is killed. Call the result when the child has ended. The
 * child itself needs to do nothing.
 */
export function watchOver(pid: number, rank: Rank, signal: NodeJS.Signals): () => void {
  const entry = `${rank} ${signal.replace('SIG', '')}:${pid}`;
  instruct(`add ${entry}`);
  return () => instruct(`drop ${entry}`);
}

/** The watcher's own process number, as soon as there is something to watch. */
export const watcherPid = (): number | undefined => shell?.pid;

function instruct(line: string): void {
  if (!shell) {
    shell = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    shell.on('error', () => undefined);
    shell.stdin?.on('error', () => undefined);
    shell.unref();
    (shell.stdin as Socket).unref();
  }
  shell.stdin?.write(`${line}\n`);
}
