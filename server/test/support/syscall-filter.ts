import { execFileSync } from 'node:child_process';

interface Profile {
  readonly defaultAction: 'SCMP_ACT_ERRNO';
  /** EPERM. */
  readonly defaultErrnoRet: 1;
  readonly syscalls: readonly [{ readonly names: readonly string[]; readonly action: 'SCMP_ACT_ALLOW' }];
}

/** What a unit's `SystemCallFilter=` lines leave to it, as a container's seccomp profile; systemd.exec(5). */
export function seccompOf(unit: string, analyze: string): Profile {
  const sets = setsOf(
    execFileSync(analyze, ['syscall-filter', '--no-pager'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  const allowed = new Set(callsOf('@default', sets));
  for (const [, line = ''] of unit.matchAll(/^SystemCallFilter=(.+)$/gm)) {
    for (const name of line.replace('~', '').split(' ')) {
      for (const call of callsOf(name, sets)) {
        if (line.startsWith('~')) allowed.delete(call);
        else allowed.add(call);
      }
    }
  }
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    syscalls: [{ names: [...allowed].sort(), action: 'SCMP_ACT_ALLOW' }],
  };
}

/** By name, `@system-service`; what is in each, calls and other sets. */
function setsOf(text: string): ReadonlyMap<string, readonly string[]> {
  const sets = new Map<string, string[]>();
  let current = '';
  for (const line of text.split('\n')) {
    const [, set, member] = /^(@\S+)$|^\s+([@\w-]+)$/.exec(line) ?? [];
    if (set !== undefined) {
      current = set;
      sets.set(set, []);
    }
    if (member !== undefined) sets.get(current)?.push(member);
  }
  return sets;
}

function callsOf(name: string, sets: ReadonlyMap<string, readonly string[]>): readonly string[] {
  if (!name.startsWith('@')) return [name];
  const members = sets.get(name);
  if (!members) throw new Error(`there is no set of system calls called ${name}`);
  return members.flatMap((member) => callsOf(member, sets));
}
