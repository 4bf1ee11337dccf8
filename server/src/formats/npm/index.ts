import Negotiator from 'negotiator';
import {
  type ArtifactTarget,
  type CallTarget,
  type Format,
  type IndexTarget,
  type Judge,
  Malformed,
  type Place,
  type ProtocolRequest,
  type Target,
} from '../../engine/format.ts';
import { semverOrder } from '../semver-order.ts';
import { compose } from './compose.ts';
import { mentions, without } from './mentions.ts';
import { attestationsUrlPath, escapeName, isName, splitAttestations, splitName, urlPath } from './names.ts';
import { decodePackument, type Manifest, mergePackuments, type Packument, releasesOf } from './packument.ts';
import { receive } from './publishing.ts';
import { ABBREVIATED_TYPE, encodeView, FULL_TYPE } from './views.ts';
import { withVersions } from './withheld.ts';

const AUDIT = '-/npm/v1/security/';
const DIST_TAGS = /^-\/package\/(.+)\/dist-tags\/?$/;
const PASSED_ON: ReadonlySet<string> = new Set(['-/v1/search', '-/npm/v1/keys']);

export const npm: Format<Packument> = {
  id: 'npm',
  traits: {
    title: 'npm',
    purl: 'npm',
    mount: 'npm',
    kinds: ['remote', 'hosted', 'virtual'],
    upstream: { sample: 'pkg:npm/a@1.0.0' },
    evidence: 'index',
    signedIndexes: false,
    bodies: [{ prefix: AUDIT, limit: 10 * 1024 * 1024 }],
    notes: [
      'Full and abbreviated packuments both come from the upstream’s full document, so publication times are always known.',
      'Search, signing keys and audits are answered by the upstream and are not filtered; a hosted repository has none of them.',
      'What is published is there once and for ever: a version that was unpublished is not published again with other bytes.',
    ],
  },

  parse(request) {
    const path = request.path.replace(/\/$/, '');
    if (request.method === 'POST') return path.startsWith(AUDIT) ? passOn(request, path) : undefined;
    if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
    return path.startsWith('-/') ? parseApi(request, path) : parsePackage(request, path);
  },

  locate(target) {
    if (target.kind === 'index') return [{ path: escapeName(target.path), headers: { accept: FULL_TYPE } }];
    const attested = splitAttestations(target.path);
    return [{ path: attested ? attestationsUrlPath(attested.name, attested.version) : urlPath(target.path) }];
  },

  versions: semverOrder,
  roster: (name) => [packument(name, 'full')],
  factsOf: ({ name }) => (name === undefined ? [] : [packument(name, 'full')]),

  index: {
    decode: decodePackument,
    releases: releasesOf,
    keep,
    merge: mergePackuments,
    encode: encodeView,
  },

  mentions,
  without,

  fault: (_code, message) => ({ bytes: JSON.stringify({ error: message }), type: FULL_TYPE }),

  hosting: { receive, compose },
};

function parseApi(request: ProtocolRequest, path: string): Target | undefined {
  if (path === '-/ping') return { kind: 'call', path, answer: { bytes: '{}', type: FULL_TYPE } };
  if (PASSED_ON.has(path)) return passOn(request, path);
  const attested = splitAttestations(path);
  if (attested) return { kind: 'artifact', path, name: attested.name, role: 'signature', mutable: true };
  const name = DIST_TAGS.exec(path)?.[1];
  return name !== undefined && isName(name) ? packument(name, 'tags') : undefined;
}

function parsePackage(request: ProtocolRequest, path: string): Target | undefined {
  if (path === '' || path === 'favicon.ico') return undefined;
  const split = splitName(path);
  if (!split) throw new Malformed(`${JSON.stringify(path.slice(0, 80))} does not begin with a valid npm package name`);
  const { name, rest } = split;
  if (rest === '') return packument(name, negotiate(request.accept));
  if (rest.startsWith('-/')) return tarball(name, path, rest.slice(2));
  return rest === '-' || rest.includes('/') ? undefined : packument(name, `version:${rest}`);
}

function tarball(name: string, path: string, file: string): ArtifactTarget | undefined {
  if (file === '' || file.includes('/')) return undefined;
  return { kind: 'artifact', path, name, role: 'package', type: 'application/octet-stream' };
}

const packument = (name: string, view: string): IndexTarget => ({
  kind: 'index',
  path: name,
  name,
  scope: 'package',
  view,
});

function negotiate(accept: string | undefined): 'full' | 'abbreviated' {
  if (accept === undefined) return 'full';
  const type = new Negotiator({ headers: { accept } }).mediaType([FULL_TYPE, ABBREVIATED_TYPE]);
  return type === ABBREVIATED_TYPE ? 'abbreviated' : 'full';
}

function passOn({ method, query, body }: ProtocolRequest, path: string): CallTarget {
  const to: Place = { path: query === '' ? urlPath(path) : `${urlPath(path)}?${query}` };
  if (method !== 'POST') return { kind: 'call', path, place: to };
  const headers = { 'content-type': 'application/json' };
  return { kind: 'call', path, place: { ...to, method, headers, body: body ?? new Uint8Array() } };
}

function keep(doc: Packument, judge: Judge): Packument {
  const kept = new Map<string, Manifest>();
  let changed = false;
  for (const [version, manifest] of doc.versions) {
    const { attestations, ...plain } = manifest;
    if (judge(manifest.tarball.path)) changed = true;
    else if (attestations && judge(attestations.path)) {
      kept.set(version, plain);
      changed = true;
    } else kept.set(version, manifest);
  }
  return changed ? withVersions(doc, kept) : doc;
}
