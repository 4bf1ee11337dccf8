import { Fault } from '../fault.ts';
import type { ArtifactTarget } from '../format.ts';
import type { FileFacts } from '../source.ts';
import type { RemoteSettings } from './remote-settings.ts';

/** What an answer gives away before its bytes are there. */
interface Announced {
  /** Content-Type. */
  readonly type: string | undefined;
  /** Bytes. */
  readonly size: number | undefined;
}

/** What cannot be the file is refused while a proper error can still be sent. Throws `Fault`. */
export function refuseImplausible(
  { name, maxArtifactSize }: RemoteSettings,
  target: ArtifactTarget,
  file: FileFacts,
  { type, size }: Announced,
): void {
  const { path } = target;
  const wrong = (what: string) => new Fault('integrity', `The upstream of "${name}" sent ${what}`);
  if (size !== undefined && size > maxArtifactSize) {
    const message = `${path} has ${size} bytes; "${name}" takes at most ${maxArtifactSize} (max_artifact_size).`;
    throw new Fault('too_large', message);
  }
  if (size === 0 && isNeverEmpty(target, file)) throw wrong(`nothing in place of ${path}.`);
  if (size !== undefined && file.size !== undefined && size !== file.size)
    throw wrong(`the wrong ${path}: it has ${size} bytes, its index says ${file.size}.`);
  if (type?.startsWith('text/html') && !mayBePage(target, file))
    throw wrong(`a web page in place of ${path}: is there a login or a proxy in between?`);
}

/** A package of a known type: an upstream that has lost it may still answer 200. */
function isNeverEmpty({ role, type }: ArtifactTarget, { digest }: FileFacts): boolean {
  return digest === undefined && role === 'package' && type !== undefined;
}

/** Known by its type, by a digest, or by an ending that is no page's: anything else may be one. */
function mayBePage({ type, path }: ArtifactTarget, { digest }: FileFacts): boolean {
  if (/\.(?:x?html?|php|aspx?|jsp|cgi)$/i.test(path)) return true;
  if (digest !== undefined || (type !== undefined && !type.startsWith('text/html'))) return false;
  return !/\.[a-z][a-z0-9]{0,9}$/i.test(path);
}
