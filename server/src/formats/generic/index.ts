import { RE2JS } from 're2js';
import {
  type ArtifactTarget,
  type Format,
  Malformed,
  type ProtocolRequest,
  type Publication,
  type Site,
} from '../../engine/format.ts';
import { isMoving, isMutable } from './mutability.ts';

const BESIDE = /\.(?:sha(?:1|256|512)|md5|asc|sig|minisig|sigstore\.json)$/;

export const generic: Format<never> = {
  id: 'generic',
  traits: {
    title: 'Generic',
    purl: 'generic',
    mount: 'generic',
    kinds: ['remote', 'hosted', 'virtual'],
    evidence: 'last_modified',
    signedIndexes: false,
    redirects: false,
    notes: [
      'Every path is a file; there is no index, so nothing is hidden from one: a file that is withheld is refused.',
      'A path that looks like a release (a version and an archive’s ending, a commit, a digest) never changes; every other is revalidated.',
      'Requests with a query are refused.',
      'What is published stays: other bytes replace only a name that moves (`latest`, `nightly/…`, an index), or a name that was removed and does not look like a release.',
    ],
  },

  parse({ method, path, query }, site) {
    if (method !== 'GET' && method !== 'HEAD') return undefined;
    return { ...fileAt(path, query), ...releaseOf(path, site) };
  },

  roster: () => [],
  factsOf: () => [],

  index: {
    decode() {
      throw new Malformed('A generic repository has no indexes');
    },
    releases: () => [],
    keep: (doc) => doc,
    merge: ([first]) => first as never,
    encode: () => undefined,
  },

  fault: (_code, message) => ({ bytes: `${message}\n`, type: 'text/plain; charset=utf-8' }),

  hosting: { receive },
};

/** A name that moves gets other bytes by another PUT; every other one only after it was removed; one of a release never. */
function receive({ method, path, query }: ProtocolRequest): Publication | undefined {
  if (method !== 'PUT' && method !== 'DELETE') return undefined;
  if (path === '' || path.endsWith('/'))
    throw new Malformed('A file has a name: a folder cannot be published or removed');
  const file = fileAt(path, query);
  if (method === 'DELETE') return { kind: 'removal', file, frees: file.mutable === true };
  return { kind: 'file', file, ...(isMoving(path) && { replaces: true }) };
}

function fileAt(path: string, query: string): ArtifactTarget {
  if (query !== '') throw new Malformed('A generic repository has files by path alone: ask again without the query');
  const role = BESIDE.test(path) ? 'signature' : 'package';
  return { kind: 'artifact', path, role, ...(isMutable(path) && { mutable: true }) };
}

/** By the remote's own patterns: a plain tree does not say where a package's name ends. */
function releaseOf(path: string, { options }: Site): { readonly name?: string; readonly version?: string } {
  if (!Array.isArray(options.releases)) return {};
  for (const pattern of compiled(options.releases)) {
    const match = pattern.matcher(path);
    if (!match.find()) continue;
    const groups = pattern.namedGroups();
    const name = 'name' in groups ? match.group('name') : undefined;
    const version = 'version' in groups ? match.group('version') : undefined;
    return { ...(name && { name }), ...(name && version && { version }) };
  }
  return {};
}

/** By the list itself: a configuration is never changed in place, so its patterns are compiled once. */
const known = new WeakMap<readonly string[], readonly RE2JS[]>();

function compiled(patterns: readonly string[]): readonly RE2JS[] {
  const found = known.get(patterns) ?? patterns.map((pattern) => RE2JS.compile(pattern));
  known.set(patterns, found);
  return found;
}
