import { readFileSync } from 'node:fs';
import type { Session } from './session.ts';

/** Milliseconds between two looks at the memory of every server. */
const EVERY = 10_000;

export interface MemorySample {
  readonly at: number;
  readonly server: number;
  readonly pid: number;
  /** Bytes of resident memory. */
  readonly bytes: number;
}

/** Looks at how much memory the servers have. */
export class MemoryWatch {
  readonly samples: MemorySample[] = [];
  readonly #session: Pick<Session, 'installation'>;
  readonly #timer: NodeJS.Timeout;

  constructor(session: Pick<Session, 'installation'>) {
    this.#session = session;
    this.#timer = setInterval(() => this.look(), EVERY);
  }

  look(): void {
    for (const [server, { pid }] of this.#session.installation.servers.entries()) {
      const bytes = pid === undefined ? undefined : residentOf(pid);
      if (pid !== undefined && bytes !== undefined) this.samples.push({ at: Date.now(), server, pid, bytes });
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function residentOf(pid: number): number | undefined {
  try {
    const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return found ? Number(found[1]) * 1024 : undefined;
  } catch {
    return undefined;
  }
}
