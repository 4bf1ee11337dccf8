import type { AnyFormat, ArtifactTarget, IndexTarget, Place } from './format.ts';
import { encodePath } from './path.ts';
import type { FileFacts } from './source.ts';

/** Where the upstream keeps it: where another document says, else as the format says, else under the same path. */
export function placesOf(
  format: AnyFormat,
  target: IndexTarget | ArtifactTarget,
  options: Readonly<Record<string, unknown>>,
): readonly Place[] {
  if (target.kind === 'index' && target.url !== undefined) return [placeAt(target.url)];
  return format.locate?.(target, { base: '', options }) ?? [{ path: encodePath(target.path) }];
}

/** A listed file is where its index says, on whichever host; only an index can name another host, never a request. */
export function fileAt(
  format: AnyFormat,
  target: ArtifactTarget,
  file: FileFacts,
  options: Readonly<Record<string, unknown>>,
): readonly Place[] {
  return file.url === undefined ? placesOf(format, target, options) : [placeAt(file.url)];
}

function placeAt(address: string): Place {
  const url = new URL(address);
  return { origin: url.origin, path: `${url.pathname.slice(1)}${url.search}` };
}
