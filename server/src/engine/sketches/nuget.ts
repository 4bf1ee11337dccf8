import { type Body, type Format, type IndexTarget, Malformed, type Place, type ReleaseFile } from '../format.ts';
import { artifact, firstOfEach, index, plain, text, traits } from './common.ts';

/*
 * NuGet as far as it strains `Format`: it proves that the interface carries it, and is no format yet.
 * A service index that says where things are, one document for two views, pages named by address.
 */

interface Leaf {
  readonly version: string;
  readonly content: string;
  readonly published: number;
  readonly listed: boolean;
}

interface Registration {
  readonly id: string;
  readonly leaves: readonly Leaf[];
  /** Addresses of pages that the index does not hold inline. */
  readonly pages: readonly string[];
}

interface RegistrationItem {
  readonly '@id': string;
  readonly items?: readonly RegistrationItem[];
  readonly packageContent?: string;
  readonly catalogEntry?: { readonly version: string; readonly published?: string; readonly listed?: boolean };
}

const SERVICES: Readonly<Record<string, string>> = {
  registration: 'RegistrationsBaseUrl/3.6.0',
  flat: 'PackageBaseAddress/3.0.0',
};

export const nuget: Format<Registration> = {
  id: 'nuget',
  traits: traits('NuGet', 'nuget', 'index'),
  parse({ path }, site) {
    if (path === 'v3/index.json') return { kind: 'call', path, answer: serviceIndex(site.base) };
    const [, service, id, rest = ''] = /^v3\/(registration|flat)\/([^/]+)\/(.+)$/.exec(path) ?? [];
    if (id === undefined) return undefined;
    if (rest === 'index.json') return registration(id, service as string);
    return service === 'flat' && rest.endsWith('.nupkg') ? artifact(path, 'package', id) : undefined;
  },
  discovery: () => index('v3/index.json', 'service'),
  locate({ path }, { discovery }) {
    const [, service = '', rest = ''] = /^v3\/(registration|flat)\/(.+)$/.exec(path) ?? [];
    return discovery === undefined || service === ''
      ? [{ path }]
      : [serviceAt(discovery.bytes, SERVICES[service] ?? '', rest)];
  },
  roster: (id) => [registration(id, 'registration')],
  factsOf: ({ name }) => (name === undefined ? [] : [registration(name, 'registration')]),
  index: {
    decode({ bytes }, { name = '' }) {
      const { items = [] }: RegistrationItem = JSON.parse(text(bytes));
      const inline = items.flatMap((item) => (item.catalogEntry ? [item] : (item.items ?? [])));
      const pages = items.filter((item) => !item.catalogEntry && !item.items).map((item) => item['@id']);
      return { id: name, leaves: inline.flatMap(leaf), pages };
    },
    // A page's address is the upstream's own; ours only names it.
    more: ({ id, pages }) =>
      pages.map((url, at) => ({ ...index(`v3/registration/${id}/page/${at}`, 'registration', id), url })),
    *releases({ id, leaves }) {
      for (const each of leaves)
        yield { name: id, version: each.version, files: [nupkg(id, each)], yanked: !each.listed };
    },
    keep: (doc, judge) => ({ ...doc, leaves: doc.leaves.filter((each) => !judge(nupkg(doc.id, each).path)) }),
    merge: (docs) => ({
      ...(docs[0] as Registration),
      pages: [],
      leaves: firstOfEach(
        docs.flatMap((doc) => doc.leaves),
        (each) => each.version,
      ),
    }),
    encode({ id, leaves }, { view }, { base }) {
      const versions = leaves.map((each) => each.version);
      const catalog = leaves.map((each) => ({
        packageContent: `${base}/${nupkg(id, each).path}`,
        catalogEntry: { version: each.version },
      }));
      const value = view === 'flat' ? { versions } : { count: 1, items: [{ count: catalog.length, items: catalog }] };
      return { bytes: JSON.stringify(value), type: 'application/json' };
    },
  },
  fault: plain,
};

/** Two views of one document: the flat container has no times, so it is made from the registration. */
const registration = (id: string, view: string): IndexTarget => index(`v3/registration/${id}/index.json`, view, id);

function serviceIndex(base: string): Body {
  const resources = Object.entries(SERVICES).map(([name, type]) => ({ '@id': `${base}/v3/${name}/`, '@type': type }));
  return { bytes: JSON.stringify({ version: '3.0.0', resources }), type: 'application/json' };
}

function serviceAt(bytes: Uint8Array, type: string, rest: string): Place {
  const { resources = [] }: { resources?: readonly { '@id': string; '@type': string }[] } = JSON.parse(text(bytes));
  const found = resources.find((resource) => resource['@type'] === type);
  if (!found) throw new Malformed(`The service index has no ${type}`);
  const { origin, pathname } = new URL(rest, found['@id']);
  return { origin, path: pathname.slice(1) };
}

function leaf({ packageContent, catalogEntry }: RegistrationItem): readonly Leaf[] {
  if (!packageContent || !catalogEntry) return [];
  const { version, published = '', listed = true } = catalogEntry;
  return [{ version, content: packageContent, published: Date.parse(published), listed }];
}

/** Unlisted versions carry the year 1900, which is no date. */
function nupkg(id: string, { version, content, published }: Leaf): ReleaseFile {
  const path = `v3/flat/${id}/${version}/${id}.${version}.nupkg`;
  return { path, url: content, ...(published > Date.UTC(2000) && { published: { at: published, by: 'server' } }) };
}
