import { gunzipSync, gzipSync } from 'node:zlib';
import { Parser } from 'htmlparser2';
import type { Body, Digest, EncodeSite, Format, IndexTarget, Judge, Part, Release, ReleaseFile } from '../format.ts';
import { artifact, firstOfEach, index, plain, text, traits } from './common.ts';

/*
 * RPM as far as it strains `Format`: it proves that the interface carries it, and is no format yet.
 * A root with parts that must be of one generation, and a signature of what we wrote.
 */

interface RpmPart {
  readonly type: string;
  readonly href: string;
  readonly sha256: string;
}

interface Rpm {
  readonly name: string;
  readonly version: string;
  readonly href: string;
  readonly sha256: string;
  readonly at: number;
}

/** `repomd.xml` has parts; `primary` among them has packages. */
interface RpmRepository {
  readonly dir: string;
  readonly parts: readonly RpmPart[];
  readonly packages: readonly Rpm[];
}

const ROOT = 'repodata/repomd.xml';

export const rpm: Format<RpmRepository> = {
  id: 'rpm',
  traits: traits('RPM', 'rpm', 'author'),
  parse({ path }) {
    const [, dir = '', file] = /^(.*?)repodata\/([^/]+)$/.exec(path) ?? [];
    if (file === 'repomd.xml') return index(path, 'root');
    if (file === 'repomd.xml.asc')
      return { kind: 'derived', path, of: index(`${dir}${ROOT}`, 'root'), as: 'signature' };
    if (file !== undefined) return index(path, /primary\.xml/.test(file) ? 'primary' : 'opaque');
    return path.endsWith('.rpm') ? artifact(path, 'package') : undefined;
  },
  roster: (_name, near) => (near ? rootsAbove(near.path) : []),
  factsOf: ({ path }) => rootsAbove(path),
  index: {
    decode: ({ bytes, url }, { path, view }) => {
      const xml = text(url.endsWith('.gz') ? gunzipSync(bytes) : bytes);
      const dir = path.slice(0, path.lastIndexOf('repodata/'));
      return { dir, parts: view === 'root' ? rpmParts(xml) : [], packages: view === 'primary' ? rpmPackages(xml) : [] };
    },
    parts: ({ dir, parts }) =>
      parts.map(
        (part): Part => ({
          path: `${dir}${part.href}`,
          target: { ...rpmPart(dir, part), digest: `sha256:${part.sha256}` },
          when: part.type === 'primary' ? 'now' : 'asked',
        }),
      ),
    *releases({ dir, packages }): Iterable<Release> {
      for (const each of packages) yield { name: each.name, version: each.version, files: [rpmFile(dir, each)] };
    },
    keep: (doc: RpmRepository, judge: Judge) => ({
      ...doc,
      packages: doc.packages.filter((each) => !judge(doc.dir + each.href)),
    }),
    merge: (docs) => ({
      ...(docs[0] as RpmRepository),
      packages: firstOfEach(
        docs.flatMap((doc) => doc.packages),
        (each) => each.href,
      ),
    }),
    encode: (doc, { view }, site) =>
      view === 'root' ? rpmRoot(doc, site) : view === 'primary' ? rpmPrimary(doc) : undefined,
  },
  fault: plain,
};

/** A package may lie any number of folders below its repository: the nearest one that exists describes it. */
function rootsAbove(path: string): readonly IndexTarget[] {
  const folders = path.split('/').slice(0, -1);
  const dirs = [...folders.keys(), folders.length].map((depth) =>
    folders
      .slice(0, depth)
      .map((folder) => `${folder}/`)
      .join(''),
  );
  return dirs.toReversed().map((dir) => ({ ...index(dir + ROOT, 'root'), optional: true }));
}

const rpmPart = (dir: string, { type, href, sha256 }: RpmPart): IndexTarget => ({
  ...index(dir + href, type === 'primary' ? 'primary' : 'opaque'),
  digest: `sha256:${sha256}`,
  ...(type !== 'primary' && { opaque: true }),
});

const rpmFile = (dir: string, { href, sha256, at }: Rpm): ReleaseFile => ({
  path: dir + href,
  digest: `sha256:${sha256}` satisfies Digest,
  published: { at, by: 'author' },
});

interface Element {
  readonly attributes: Readonly<Record<string, string>>;
  text: string;
}

/** The children of each element of a name, by theirs. */
function elements(xml: string, name: string): readonly ReadonlyMap<string, Element>[] {
  const found: Map<string, Element>[] = [];
  let open: Element | undefined;
  const parser = new Parser(
    {
      onopentag(tag, attributes) {
        open = { attributes, text: '' };
        if (tag === name) found.push(new Map([['', open]]));
        else found.at(-1)?.set(tag, open);
      },
      ontext(part) {
        if (open) open.text += part;
      },
      onclosetag() {
        open = undefined;
      },
    },
    { xmlMode: true },
  );
  parser.end(xml);
  return found;
}

const rpmParts = (xml: string): readonly RpmPart[] =>
  elements(xml, 'data').map((each) => ({
    type: each.get('')?.attributes.type ?? '',
    href: each.get('location')?.attributes.href ?? '',
    sha256: each.get('checksum')?.text ?? '',
  }));

const rpmPackages = (xml: string): readonly Rpm[] =>
  elements(xml, 'package').map((each) => ({
    name: each.get('name')?.text ?? '',
    version: `${each.get('version')?.attributes.ver}-${each.get('version')?.attributes.rel}`,
    href: each.get('location')?.attributes.href ?? '',
    sha256: each.get('checksum')?.text ?? '',
    at: Number(each.get('time')?.attributes.file) * 1000,
  }));

/** A part that was filtered has another digest, and the root must name that one. */
function rpmRoot({ dir, parts }: RpmRepository, site: EncodeSite): Body {
  const entries = parts.map((part) => {
    const sha256 = site.rendered(rpmPart(dir, part), 'sha256') ?? part.sha256;
    return `<data type="${part.type}"><checksum type="sha256">${sha256}</checksum><location href="${part.href}"/></data>`;
  });
  return {
    bytes: `<repomd xmlns="http://linux.duke.edu/metadata/repo">${entries.join('')}</repomd>`,
    type: 'application/xml',
  };
}

function rpmPrimary({ packages }: RpmRepository): Body {
  const entries = packages.map((each) => {
    const [ver, rel] = each.version.split('-');
    const inner = `<name>${each.name}</name><version ver="${ver}" rel="${rel}"/><checksum type="sha256">${each.sha256}</checksum>`;
    return `<package type="rpm">${inner}<time file="${each.at / 1000}"/><location href="${each.href}"/></package>`;
  });
  return {
    bytes: gzipSync(`<metadata packages="${packages.length}">${entries.join('')}</metadata>`),
    type: 'application/gzip',
  };
}
