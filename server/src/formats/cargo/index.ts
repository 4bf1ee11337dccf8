import type {
  ArtifactTarget,
  Body,
  CallTarget,
  Format,
  IndexTarget,
  ProtocolRequest,
  RawDocument,
  Site,
  Target,
} from '../../engine/format.ts';
import { wordsIn } from '../search-words.ts';
import { semverOrder } from '../semver-order.ts';
import { apiPlace, type Config, downloadPlace, readConfig } from './config.ts';
import { type CrateIndex, keepLines, mergeIndexes, readCrateIndex, releasesOf, written } from './crate-index.ts';
import { type Crate, cratePath, indexPath, isName, isVersion, splitCratePath } from './names.ts';

type Document = CrateIndex | Config;

const SEARCH = 'api/v1/crates';
const API_DOWNLOAD = /^api\/v1\/crates\/([^/]+)\/([^/]+)\/download$/;

/** The upstream's: it is asked for addresses and never passed on. */
const CONFIG: IndexTarget = { kind: 'index', path: 'config.json', scope: 'repository', view: 'config' };

/** As cargo asks. */
const HEADERS = { accept: 'text/plain', 'cargo-protocol': 'version=1' };

export const cargo: Format<Document> = {
  id: 'cargo',
  traits: {
    title: 'Cargo',
    purl: 'cargo',
    mount: 'cargo',
    upstream: { sample: 'pkg:cargo/a@1.0.0', subdomain: 'index' },
    evidence: 'index',
    signedIndexes: false,
    notes: [
      'The sparse protocol; the older index in git is not served.',
      'Publication times are `pubtime` of the index, which the registry sets; one that does not leaves its releases undated.',
      'Lines of withheld versions are left out, every other is passed on as it came: a lock file that names a withheld version no longer builds.',
      'Searches are answered by the upstream and are not filtered.',
    ],
  },

  parse(request, site) {
    if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
    const { path } = request;
    if (path === CONFIG.path) return { kind: 'call', path, answer: ourConfig(site) };
    const crate = splitCratePath(path);
    if (crate) return artifact(crate);
    return path.startsWith('api/') ? parseApi(request) : parseIndex(path);
  },

  discovery: (target) => (target.kind === 'artifact' || isSearch(target) ? CONFIG : undefined),

  locate(target: IndexTarget | ArtifactTarget | CallTarget, { discovery, digest }) {
    if (target.kind === 'index') return [{ path: target.path, headers: HEADERS }];
    if (!discovery) return [];
    const config = readConfig(discovery);
    if (target.kind === 'call') return listed(apiPlace(config, target.place?.path ?? target.path));
    const crate = splitCratePath(target.path);
    return listed(crate && downloadPlace(config, crate, digest));
  },

  versions: semverOrder,
  roster: (name) => [index(name)],
  factsOf: ({ name }) => (name === undefined ? [] : [index(name)]),

  mentions: (target) => (target.kind === 'call' && target.place ? wordsIn(target.place.path, 'q') : []),

  index: {
    decode: (raw: RawDocument, target: IndexTarget) =>
      target.path === CONFIG.path ? readConfig(raw) : readCrateIndex(raw, target),
    releases: (doc) => (doc.kind === 'crate' ? releasesOf(doc) : []),
    keep: (doc, judge) => (doc.kind === 'crate' ? keepLines(doc, judge) : doc),
    merge: (docs) =>
      docs.reduce((first, next) =>
        first.kind === 'crate' && next.kind === 'crate' ? mergeIndexes(first, next) : first,
      ),
    encode: (doc) => (doc.kind === 'crate' ? { bytes: written(doc), type: 'text/plain' } : undefined),
  },

  fault: (_code, message, target) =>
    target?.kind === 'call'
      ? json({ errors: [{ detail: message }] })
      : { bytes: `${message}\n`, type: 'text/plain; charset=utf-8' },
};

/** cargo puts a crate's name and version into `dl` as they are. */
const ourConfig = ({ base }: Site): Body => json({ dl: `${base}/crates/{crate}/{crate}-{version}.crate`, api: base });

function parseIndex(path: string): IndexTarget | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return isName(name) && path === indexPath(name) ? index(name) : undefined;
}

function parseApi({ path, query }: ProtocolRequest): Target | undefined {
  if (path === SEARCH) return { kind: 'call', path, place: { path: query === '' ? path : `${path}?${query}` } };
  const [, name = '', version = ''] = API_DOWNLOAD.exec(path) ?? [];
  return isName(name) && isVersion(version) ? artifact({ name, version }) : undefined;
}

const isSearch = (target: Target): boolean => target.kind === 'call' && target.path === SEARCH;

const index = (name: string): IndexTarget => ({
  kind: 'index',
  path: indexPath(name),
  name: name.toLowerCase(),
  scope: 'package',
  view: 'full',
});

const artifact = (crate: Crate): ArtifactTarget => ({
  kind: 'artifact',
  path: cratePath(crate),
  ...crate,
  role: 'package',
  type: 'application/octet-stream',
});

const listed = <Item>(item: Item | undefined): readonly Item[] => (item === undefined ? [] : [item]);

const json = (value: unknown): Body => ({ bytes: JSON.stringify(value), type: 'application/json' });
