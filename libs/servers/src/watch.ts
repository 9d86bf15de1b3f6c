import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/** In which order a dead parent's children are ended: services first, so that they can still reach broker and database. */
export type Rank = 'service' | 'engine';

/*
 * A shell that reads from a pipe which only this process holds. The pipe closes however this process ends, kill -9
 * included; then the shell asks what is still on its list to end, and kills what has not after ten seconds.
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
 * Sees to it that a child does not outlive this process, even if this process is killed. Call the result when the child has
 * ended. The child needs to do nothing for it.
 */
export function watchOver(pid: number, rank: Rank, signal: NodeJS.Signals): () => void {
  const entry = `${rank} ${signal.replace('SIG', '')}:${pid}`;
  instruct(`add ${entry}`);
  return () => instruct(`drop ${entry}`);
}

/** The watcher's own process number, once there is something to watch. */
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
