import type { Installation } from '../installation.ts';
import { cut, deleted, flipped, orphaned } from './blobs.ts';
import { diskFull } from './disk.ts';
import type { Kind } from './fault.ts';
import { killed, restarted } from './processes.ts';
import { serviceFaults } from './services.ts';
import { upstreamFaults } from './upstreams.ts';
import { backedUp, shortOfSpace, verified } from './work.ts';

/** What can go wrong with this installation. */
export function faultsOf({ services, can }: Installation): readonly Kind[] {
  return [
    killed,
    restarted,
    ...upstreamFaults,
    flipped,
    cut,
    deleted,
    orphaned,
    diskFull,
    ...(can.has('limits') ? [shortOfSpace] : []),
    ...(can.has('verify') ? [verified] : []),
    ...(can.has('backup') ? [backedUp] : []),
    ...[...services].flatMap(([part, service]) => serviceFaults(part, service)),
  ];
}
